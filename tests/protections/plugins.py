"""The plugins with which one test is run in a process of its own: loading the others takes longer than the test."""

PLUGINS = ("-p", "pytest_timeout", "-p", "anyio.pytest_plugin", "-p", "no:cacheprovider")
NO_OTHER_PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
