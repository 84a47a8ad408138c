"""Mail clients of today and of old, each with the ClientHello that it was seen to send."""
