"""What authors run, through `make`."""
