"""Our scan beside other scanners: the same servers, one run, every fact compared."""
