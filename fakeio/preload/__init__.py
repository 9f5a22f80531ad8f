"""What `fakeio exec` has the programs under it load first: clients that ignore proxies reach the fake nevertheless.

The files here are copied into the folder of a run and work alone, without this package and with older interpreters.
Beside the copies lies `routes.json`, which says where the fake is; without it they do nothing.
"""
