"""Papers: what a device is to know of some kind, whole, sealed to its certificate and signed."""
