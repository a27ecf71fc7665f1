"""The load: Locust in processes of its own. `client` is the harness's end, and imports no Locust."""
