"""One module per subcommand, with `HELP`, `EXAMPLE`, `add_arguments(parser)`, `run(arguments)`.

`run` returns the exit status. Heavy imports (torch, pyarrow, boto3) stay inside `run`, so that
`longspan --help` is instant.
"""
