"""How fast the server is: beside its peers and its floors (python -m benchmarks), by worlds and stores, and by size of world."""
