"""The applications under load that do without poolware."""
