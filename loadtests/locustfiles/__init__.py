"""One Locust file a scenario; each also runs alone with `locust -f`."""
