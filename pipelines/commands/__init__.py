"""One module per subcommand: `HELP`, `EXAMPLE`, `add_arguments(parser)`, `run(arguments)`.

Heavy imports (torch, pyarrow) stay inside `run`, so that `longspan --help` is instant.
"""
