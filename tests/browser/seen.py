"""What somebody who cannot see colours, or anything, has of a page."""

CONTRAST = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => { // whatever notation the browser computes
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const colour = rgb(getComputedStyle(element).backgroundColor);
      if (colour[3] === 255) return colour;
    }
  };
  const found = [], ratio = (one, other) => {
    const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement: element, data } = walker.currentNode;
    if (!data.trim() || !element.checkVisibility() || element.closest("script, style, noscript")) continue;
    found.push([data.trim().slice(0, 40), ratio(rgb(getComputedStyle(element).color), behind(element)), 4.5]);
  }
  for (const shape of document.querySelectorAll(".mark svg, .stroke, .queue, button, input")) {
    const style = getComputedStyle(shape);
    const colour = shape.matches(".stroke") ? style.stroke : shape.matches(".queue") ? style.fill
      : shape.matches("button, input") ? style.borderTopColor : style.color;
    found.push([shape.getAttribute("class") || shape.id, ratio(rgb(colour), behind(shape)), 3]);
  }
  return found;
}
"""
"""Every text and mark, its contrast with what is behind it, and what WCAG 2.2 asks for (1.4.3, 1.4.11)."""

REACHED = {"button", "link", "searchbox", "textbox", "DisclosureTriangle", "image", "img", "list", "table", "heading"}
"""Roles of what must have a name."""


def nameless(tab):
    """Return the roles of what assistive technology finds without a name, and how many of each role it finds."""
    session = tab.context.new_cdp_session(tab)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    shown = [node for node in nodes if not node["ignored"]]
    roles = [node["role"]["value"] for node in shown]
    focusable = [node for node in shown if any(p["name"] == "focusable" for p in node.get("properties", ()))]
    named = [node for node in shown if node["role"]["value"] in REACHED - {"list"}] + focusable
    without = [node["role"]["value"] for node in named if not node.get("name", {}).get("value", "").strip()]
    return without, {role: roles.count(role) for role in sorted(set(roles))}
