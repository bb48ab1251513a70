"""moto: its server, its state, and every hook into its internals."""
