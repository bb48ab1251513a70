"""moto: its server, its state, and every hook into its private parts.

How the hooks work. moto runs in this process, so a hook is one of three things:

- `server` wraps moto's WSGI application: requests to SageMaker and its endpoints go to the local
  control plane, all others to moto.
- `access` replaces methods of moto's IAM check, so that policies are evaluated and refused as AWS
  does it.
- `internals` reads and writes the state of moto's services where their API cannot, and completes
  FilterLogEvents.

moto is pinned; `tests/infra/local/moto/test_hooks.py` names the module to repair when a new version
changes a private part. No other folder imports moto. This one may import `control`.
"""
