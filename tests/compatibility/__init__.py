"""``make compatibility``: the oldest and the newest of everything that poolware works with, tried."""
