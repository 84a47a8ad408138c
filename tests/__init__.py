"""The tests; servers and factories they share lie here."""
