"""The cloud on your machine: storage with preconditions and signatures, and all that `make run` starts."""
