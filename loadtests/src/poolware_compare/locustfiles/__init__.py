"""One Locust file a scenario; each also runs alone: `locust -f scratch.py --tags 4m --host http://127.0.0.1:8000`."""
