"use strict";
(() => {
  const SCHEMA = 1, EVERY = 2000, PATIENCE = 10000, FEW = 8;
  const LEVELS = { critical: "In trouble", warning: "Needs a look", notice: "Note", healthy: "Healthy" };
  const SHAPES = {
    critical: "M8 1 15.5 15H.5z", warning: "M8 .5 15.5 8 8 15.5.5 8z",
    notice: "M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0-11m0 2a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7z",
    healthy: "M8 3.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9z",
  };
  const INK = { critical: "%23d1372e", warning: "%23c98a12", notice: "%237b8896", healthy: "%233f8f4f" };
  const TILES = { in_use: "In use", waiting: "Waiting", idle: "Ready", quarantined: "In quarantine" };
  const LONG_NAME = 120;
  const SVG = "http://www.w3.org/2000/svg";
  const $ = (id) => document.getElementById(id);
  const here = new URL(location.href);
  here.pathname = here.pathname.replace(/\/?$/, "/data.json");
  here.search = here.hash = "";

  // --- words ---------------------------------------------------------------------------------------------------------

  const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
  const number = (value) => (value == null ? "–" : plain.format(value));
  const percent = (share) => (share == null ? "–" : (100 * share).toFixed(share > 0.99 && share < 1 ? 1 : 0) + " %");
  const count = (n, noun) => `${number(n)} ${noun}${n === 1 ? "" : "s"}`;
  const bytes = (n) => (n < 1e6 ? `${number(n / 1e3)} kB` : `${(n / 1e6).toFixed(1)} MB`);
  const span = (s) => (s < 1 ? `${number(1000 * s)} ms` : s < 120 ? `${+s.toPrecision(s < 10 ? 2 : 3)} s` : `${Math.round(s / 60)} min`);
  const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
  // A name may be anything. What would turn the direction of what follows, or not be seen, is shown as unknown.
  const clean = (name) => name.replace(/[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu, "\ufffd");
  const short = (name) => (name.length > LONG_NAME ? `${clean(name).slice(0, LONG_NAME)}…` : clean(name));

  function headline(data) {
    const of = (level) => data.pools.filter((pool) => pool.level === level).length;
    const bad = of("critical"), odd = of("warning"), all = data.pools.length;
    if (bad) return `${count(bad, "pool")} ${bad === 1 ? "is" : "are"} in trouble` + (odd ? `, ${odd} more ${odd === 1 ? "needs" : "need"} a look.` : ".");
    if (odd) return `${count(odd, "pool")} of ${all} ${odd === 1 ? "needs" : "need"} a look.`;
    if (data.level === "critical" || data.level === "warning") return all ? "Not everything can be seen." : "Nothing to be seen.";
    return all ? `All is well: ${all === 1 ? "the pool is" : `all ${all} pools are`} healthy.` : "There are no pools yet.";
  }

  // --- making things -------------------------------------------------------------------------------------------------

  function make(tag, attributes = {}, ...children) {
    const space = ["svg", "path", "line", "title"].includes(tag) ? SVG : "http://www.w3.org/1999/xhtml";
    const element = document.createElementNS(space, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }
  const say = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const mark = (level) => make("svg", { class: "mark", viewBox: "0 0 16 16", role: "img", "aria-label": LEVELS[level] }, make("path", { d: SHAPES[level], fill: "currentColor" }));

  // --- charts: 100 wide, 40 high, stretched to where they stand --------------------------------------------------------

  function steps(ages, values, top, below) {
    const x = (i) => (ages[0] ? 100 * (1 - ages[i] / ages[0]) : (100 * i) / (ages.length - 1)).toFixed(2), y = (v) => (40 - (40 * v) / top).toFixed(2);
    let line = "", area = "", run = [];
    const close = () => {
      if (!run.length) return;
      const up = run.map((i) => `${x(i)} ${y(values[i] + (below ? below[i] || 0 : 0))}`);
      const down = run.map((i) => `${x(i)} ${y(below ? below[i] || 0 : 0)}`).reverse();
      line += `M${up.join("L")}`;
      area += `M${up.concat(down).join("L")}z`;
      run = [];
    };
    values.forEach((value, i) => (value == null ? close() : run.push(i)));
    close();
    return { line, area };
  }

  function chart(pool, name, label) {
    const { ages } = pool.history, values = pool.history[name];
    const queue = name === "in_use" ? pool.history.waiting.map((v) => v || 0) : null;
    const limit = name === "in_use" ? pool.figures.limits.max_size : undefined;
    const most = Math.max(1, ...values.map((v, i) => (v || 0) + (queue ? queue[i] : 0)), Math.min(limit ?? 0, 1e9));
    const svg = make("svg", { viewBox: "0 0 100 40", preserveAspectRatio: "none", class: name, role: "img", "aria-label": label });
    const { line, area } = steps(ages, values, most);
    svg.append(make("line", { class: "base", x1: 0, x2: 100, y1: 40, y2: 40 }));
    svg.append(make("path", { class: "area", d: area }), make("path", { class: "stroke", d: line }));
    if (queue?.some(Boolean)) svg.append(make("path", { class: "queue", d: steps(ages, queue, most, values).area }));
    if (limit) svg.append(make("line", { class: "limit", x1: 0, x2: 100, y1: 40 - (40 * limit) / most, y2: 40 - (40 * limit) / most }));
    return svg;
  }

  function described(pool, name) {
    const known = pool.history[name].filter((v) => v != null);
    if (!known.length) return `${TILES[name]}: not known`;
    if (pool.lately.seconds < 1) return `${TILES[name]}: ${number(known.at(-1))}`;
    return `${TILES[name]} over ${span(pool.lately.seconds)}: between ${number(Math.min(...known))} and ${number(Math.max(...known))}, now ${number(known.at(-1))}`;
  }

  // --- a pool --------------------------------------------------------------------------------------------------------

  function tile(pool, name) {
    const known = pool.history[name].filter((v) => v != null), limit = name === "in_use" && pool.figures.limits.max_size;
    return make("figure", { class: "tile" },
      make("figcaption", {}, TILES[name], make("strong", {}, number(pool.figures.gauges[name]))),
      chart(pool, name, described(pool, name)),
      make("p", {}, make("span", {}, pool.lately.seconds < 1 ? "now" : `${span(pool.lately.seconds)} ago`), make("span", {}, limit ? `at most ${number(limit)}` : `highest ${number(Math.max(0, ...known))}`)));
  }

  function facts(pool) {
    const { gauges, counters, limits, wait } = pool.figures, { lately } = pool, found = [];
    const add = (term, text) => found.push(make("div", {}, make("dt", {}, term), make("dd", {}, text)));
    const recent = lately.seconds < 1 ? "so far" : `in ${span(lately.seconds)}`;
    add("Acquired", `${number(lately.acquired)} ${recent}`);
    if ("hits" in counters) add("Reused", lately.hit_rate == null ? "nobody asked" : `${percent(lately.hit_rate)} ${recent}`);
    if (wait) {
      add("Had to wait", `${number(lately.waits)} ${recent}`);
      add("Longest wait", span(gauges.wait_max || 0));
      add("Gave up", `${number(lately.timeouts)} ${recent}, ${number(counters.timeouts)} in all`);
      add("Longest use", span(gauges.hold_max || 0));
    }
    if ("escaped" in counters) add("Escaped", `${number(lately.escaped)} ${recent}, ${number(counters.escaped)} in all`);
    if ("lost" in counters) add("Never released", `${number(counters.lost)} in all`);
    if ("idle_bytes" in gauges) add("Memory at rest", bytes(gauges.idle_bytes));
    if ("peak_in_use" in gauges) add("Most in use", `${number(gauges.peak_in_use)} in one worker`);
    if (limits.max_idle != null) add("May rest", `${number(limits.max_idle)} at most`);
    add("In all", `${number(counters.acquired)} acquired, ${number(counters.created)} made`);
    return found;
  }

  function statements(pool) {
    const alert = (one) => make("li", { class: "alert" },
      make("strong", {}, `▲ Alert, ${one.severity}: ${one.rule}`, one.workers.length < pool.workers.length ? ` in ${count(one.workers.length, "worker")}` : ""),
      make("span", {}, `${capital(one.says)}${one.value == null ? "" : `: ${+one.value.toPrecision(3)}`} (threshold ${+one.threshold.toPrecision(6)})`),
      make("span", {}, one.advice));
    const other = (one) => make("li", { "data-level": one.level }, make("strong", {}, one.says), make("span", {}, one.advice));
    return [...pool.alerts.map(alert), ...pool.others.map(other)];
  }

  function byWorker(pool, names) {
    const row = (one) => make("tr", {}, make("th", { scope: "row" }, String(one.pid)), ...names.map((name) => make("td", {}, number(one[name]))));
    return make("table", {}, make("caption", {}, "By worker"),
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Process"), ...names.map((name) => make("th", { scope: "col" }, TILES[name])))),
      make("tbody", {}, ...pool.workers.map(row)));
  }

  function fill(row) {
    const { pool, parts } = row, open = row.details.open;
    row.inside.hidden = !open;
    if (!open) return;
    const names = Object.keys(TILES).filter((name) => name in pool.figures.gauges);
    say(parts.full.firstChild, pool.pool.length > LONG_NAME ? clean(pool.pool) : "");
    say(parts.advice, pool.level === "notice" ? pool.advice : "");
    parts.tiles.replaceChildren(...names.map((name) => tile(pool, name)));
    parts.says.replaceChildren(...statements(pool));
    parts.facts.replaceChildren(...facts(pool));
    parts.scroll.hidden = pool.workers.length < 2;
    parts.scroll.replaceChildren(byWorker(pool, names));
  }

  function newRow() {
    const row = { shown: {} };
    for (const part of ["name", "verdict", "todo", "flag", "spark", "count"]) row[part] = make("span", { class: part });
    row.mark = make("span", { class: "mark" });
    row.name.append(make("bdi"), make("small"));
    row.parts = { // they stay, so that nobody who reads or is on one of them loses the place
      full: make("p", { class: "full muted" }, make("bdi")),
      advice: make("p"),
      tiles: make("div", { class: "tiles" }),
      says: make("ul", { class: "plain says" }),
      facts: make("dl", { class: "facts" }),
      scroll: make("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "By worker" }),
    };
    row.inside = make("div", { class: "inside" }, ...Object.values(row.parts));
    row.summary = make("summary", {}, row.mark, row.name, make("span", { class: "words" }, row.verdict, row.todo, row.flag), row.spark, row.count);
    row.details = make("details", { class: "pool" }, row.summary, row.inside);
    row.item = make("li", {}, row.details);
    row.details.addEventListener("toggle", () => fill(row));
    return row;
  }

  function show(row, pool) {
    row.pool = pool;
    if (row.details.dataset.level !== pool.level) {
      row.details.dataset.level = pool.level;
      row.mark.replaceChildren(mark(pool.level));
    }
    const urgent = pool.level === "critical" || pool.level === "warning";
    say(row.name.firstChild, short(pool.pool));
    say(row.name.lastChild, pool.kind);
    say(row.verdict, pool.verdict);
    say(row.todo, urgent ? pool.advice : "");
    say(row.flag, pool.alerts.length ? `▲ ${count(pool.alerts.length, "alert")}` : "");
    row.spark.replaceChildren(chart(pool, "in_use", described(pool, "in_use")));
    row.count.replaceChildren(number(pool.figures.gauges.in_use), make("small", {}, "in use"));
    fill(row);
  }

  // --- the page ------------------------------------------------------------------------------------------------------

  const rows = new Map();
  let data = null, heard = 0, first = true, paused = false, timer = 0;

  function arrange(wanted) {
    const list = $("pools"), focused = document.activeElement;
    wanted.forEach((item, place) => {
      if (list.children[place] !== item) list.insertBefore(item, list.children[place] || null);
    });
    if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
  }

  function render() {
    const keys = data.pools.map((pool) => JSON.stringify([pool.kind, pool.pool]));
    for (const [key, row] of rows) if (!keys.includes(key)) { row.item.remove(); rows.delete(key); }
    data.pools.forEach((pool, place) => {
      if (!rows.has(keys[place])) rows.set(keys[place], newRow());
      const row = rows.get(keys[place]);
      if (first && !place && pool.level === "critical") row.details.open = true;
      show(row, pool);
    });
    first = false;
    arrange(keys.map((key) => rows.get(key).item));
    say($("headline"), headline(data));
    document.title = `${headline(data)} poolware`;
    $("icon").href = `data:image/svg+xml,<svg xmlns='${SVG}' viewBox='0 0 16 16'><path fill='${INK[data.level]}' d='${SHAPES[data.level]}'/></svg>`;
    $("notes").replaceChildren(...data.notes.map((note) => make("li", { "data-level": note.level }, make("strong", {}, note.says), " ", note.advice)));
    $("workers").hidden = !data.workers.length;
    $("crew").replaceChildren(...data.workers.map((one) => make("li", {}, `${one.pid}: heard ${one.age < 2 * one.every ? "just now" : `${span(one.age)} ago`}`)));
    $("find").hidden = data.pools.length <= FEW;
    search();
  }

  function search() {
    const wanted = $("find").hidden ? "" : $("wanted").value.toLowerCase();
    let found = 0;
    for (const { item, pool } of rows.values()) {
      item.hidden = !pool.pool.toLowerCase().includes(wanted);
      found += !item.hidden;
    }
    $("none").hidden = found > 0 || !rows.size;
  }

  function clock() {
    const time = new Date(heard).toLocaleTimeString();
    if (data) say($("meta"), `${count(data.workers.length, "worker")}, ${count(data.pools.length, "pool")}. ${paused ? "Paused since" : "As of"} ${time}.`);
  }

  async function look() {
    clearTimeout(timer);
    if (paused || document.hidden) return;
    const asked = performance.now();
    try {
      const answer = await fetch(here, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      if (!answer.ok) throw new Error(answer.status === 403 ? "you may not look any more" : `the answer was ${answer.status}`);
      if (!answer.headers.get("content-type").startsWith("application/json")) throw new Error("have you been signed out?");
      const told = await answer.json();
      if (told.schema !== SCHEMA) throw new Error("it is of another version now: reload this page");
      data = told;
      heard = Date.now();
      render();
      $("trouble").hidden = true;
      $("pools").classList.remove("old");
    } catch (error) {
      const since = heard ? `What is shown is from ${new Date(heard).toLocaleTimeString()}.` : "Nothing has been heard yet.";
      say($("trouble"), `There are no new figures: ${error.message}. ${since} It is asked again and again.`);
      $("trouble").hidden = false;
      $("pools").classList.add("old");
    }
    clock();
    clearTimeout(timer);
    const took = performance.now() - asked;
    timer = setTimeout(look, Math.min(Math.max(EVERY, 10 * took), PATIENCE)); // what is slow is asked for less often
  }

  const THEMES = ["auto", "light", "dark"];
  function paint(theme) {
    document.documentElement.dataset.theme = theme;
    say($("theme"), `Theme: ${theme}`);
  }
  const remember = (act) => { try { return act(localStorage); } catch { return null; } }; // a browser may forbid it
  paint(THEMES.find((theme) => theme === remember((store) => store.getItem("poolware-theme"))) || "auto");
  $("theme").addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length];
    paint(next);
    remember((store) => store.setItem("poolware-theme", next));
  });
  $("pause").addEventListener("click", () => {
    paused = !paused;
    say($("pause"), paused ? "Resume" : "Pause");
    clock();
    look();
  });
  $("wanted").addEventListener("input", search);
  $("raw").href = here;
  document.addEventListener("visibilitychange", look);
  look();
})();
