// The page without this script is whole; it adds search, sorting, the lasso and marks. No request is ever made.
(function () {
  "use strict";
  var root = document.documentElement;
  var data = JSON.parse(document.getElementById("data").textContent);
  var words = data.words;
  root.classList.add("on");

  function all(selector, inside) {
    return Array.prototype.slice.call((inside || document).querySelectorAll(selector));
  }
  function by(name) {
    return document.getElementById(name);
  }

  // Light or dark: what the system says, until the button is pressed.
  by("theme").addEventListener("click", function () {
    var dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  // Search: cards, alerts and dots whose text holds every word.
  var search = by("search");
  function matches(text, wanted) {
    return wanted.every(function (word) { return text.indexOf(word) >= 0; });
  }
  function find() {
    var wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    var shown = 0;
    all("[data-find]").forEach(function (item) {
      var fits = matches(item.textContent.toLowerCase(), wanted);
      item.hidden = !fits;
      if (fits && item.classList.contains("card")) shown += 1;
    });
    by("count").textContent = wanted.length ? String(shown) : "";
    if (wanted.length) {
      choose(data.points.filter(function (point) {
        return matches((words.group + " " + point[2] + " " + words.row + " " + point[3] + " " + point[4]).toLowerCase(), wanted);
      }));
    } else {
      choose([]);
    }
  }
  search.addEventListener("input", find);

  // Sorting: each heading of a table is a button.
  all("table.sort").forEach(function (table) {
    all("thead th", table).forEach(function (heading, column) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      button.setAttribute("aria-label", words.sort + " " + heading.textContent);
      heading.textContent = "";
      heading.appendChild(button);
      button.addEventListener("click", function () {
        var falling = heading.getAttribute("aria-sort") !== "descending";
        all("th", table).forEach(function (other) { other.removeAttribute("aria-sort"); });
        heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
        var body = table.tBodies[0];
        var rows = all("tr", body).map(function (row, place) {
          var cell = row.cells[column];
          var raw = cell.dataset.v;
          return { row: row, place: place, value: raw === undefined ? cell.textContent : raw === "" ? -Infinity : Number(raw) };
        });
        rows.sort(function (one, two) {
          var order = typeof one.value === "number" ? one.value - two.value : one.value.localeCompare(two.value);
          return (falling ? -order : order) || one.place - two.place;
        });
        rows.forEach(function (entry) { body.appendChild(entry.row); });
      });
    });
  });

  // The map: dots are chosen with a lasso, by group, or by the search.
  var map = by("map");
  function choose(points) {
    if (!map) return;
    by("chosen").setAttribute("d", points.map(function (point) { return "M" + point[0] + " " + point[1] + "h0"; }).join(""));
    by("selected").textContent = points.length ? points.length + " " + words.selected : "";
    var list = by("picked");
    list.textContent = "";
    points.slice(0, 200).forEach(function (point) {
      var item = document.createElement("li");
      var group = point[2] < 0 ? words.ordinary : words.group + " " + point[2];
      item.textContent = point[4] + " (" + words.row + " " + point[3] + "): " + group;
      list.appendChild(item);
    });
  }
  if (map) {
    var corners = null;
    var place = function (event) {
      var box = map.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width * 1040 - 20, (event.clientY - box.top) / box.height * 1040 - 20];
    };
    var inside = function (x, y, polygon) {
      var found = false;
      for (var i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
        var a = polygon[i], b = polygon[j];
        if (a[1] > y !== b[1] > y && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0]) found = !found;
      }
      return found;
    };
    var draw = function () {
      by("lasso").setAttribute("d", corners ? "M" + corners.map(function (at) { return at[0].toFixed(1) + " " + at[1].toFixed(1); }).join("L") + "z" : "");
    };
    map.addEventListener("pointerdown", function (event) {
      corners = [place(event)];
      map.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    map.addEventListener("pointermove", function (event) {
      if (!corners) return;
      corners.push(place(event));
      draw();
    });
    var end = function () {
      if (!corners) return;
      var polygon = corners;
      corners = null;
      draw();
      choose(polygon.length < 3 ? [] : data.points.filter(function (point) { return inside(point[0], point[1], polygon); }));
    };
    map.addEventListener("pointerup", end);
    map.addEventListener("pointercancel", end);
    by("pick").addEventListener("change", function (event) {
      var group = event.target.value;
      choose(group === "" ? [] : data.points.filter(function (point) { return String(point[2]) === group; }));
    });
  }

  // Marks: kept in the page, saved as a file.
  function marks() {
    var found = [];
    all("fieldset[data-kind]").forEach(function (field) {
      var chosen = field.querySelector("input[type=radio]:checked");
      var note = field.querySelector("input[type=text]");
      var mark = chosen ? chosen.value : "";
      if (!mark && !(note && note.value)) return;
      var entry = { kind: field.dataset.kind, mark: mark || "uncertain", note: note ? note.value : "" };
      if (entry.kind === "transaction") {
        entry.row = Number(field.dataset.row);
        entry.key = field.dataset.key;
      } else {
        entry.group = Number(field.dataset.group);
        entry.rows = Number(field.dataset.rows);
      }
      found.push(entry);
    });
    return found;
  }
  function tell() {
    var count = marks().length;
    by("marked").textContent = count ? count + " " + words.marked : "";
    by("export").disabled = !count;
  }
  document.addEventListener("change", tell);
  document.addEventListener("input", function (event) {
    if (event.target.closest("fieldset[data-kind]")) tell();
  });
  by("export").addEventListener("click", function () {
    var text = JSON.stringify({ format: "covey-marks", version: 1, report: data.report, marks: marks() }, null, 1);
    var link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = "marks.json";
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
  });
  tell();

  // Paper shows everything that can be opened.
  addEventListener("beforeprint", function () {
    all("details").forEach(function (item) { if (!item.open) { item.open = true; item.dataset.shut = "1"; } });
  });
  addEventListener("afterprint", function () {
    all("details[data-shut]").forEach(function (item) { item.open = false; delete item.dataset.shut; });
  });
})();
