// ReDoc shows a logo of its makers from their server. This page asks no other server, and does not even try to.
"use strict";

const image = HTMLImageElement.prototype;
const source = Object.getOwnPropertyDescriptor(image, "src");
const isOurs = (address) => {
  const url = new URL(address, location);
  return url.protocol === "data:" || url.origin === location.origin;
};

Object.defineProperty(image, "src", {
  ...source,
  set(address) {
    if (isOurs(address)) source.set.call(this, address);
  },
});
image.setAttribute = function (name, value) {
  if (name !== "src" || isOurs(value)) Element.prototype.setAttribute.call(this, name, value);
};

// ReDoc knows no dark look of its own: these are the colors of the other pages.
const DARK = {
  colors: {
    primary: { main: "#a5b4fc" },
    text: { primary: "#e9e9f0", secondary: "#abadbd" },
    border: { dark: "#353644", light: "#353644" },
    success: { main: "#86d9a3" },
    error: { main: "#ff9d96" },
    warning: { main: "#f2c277", contrastText: "#1b1b22" },
    gray: { 50: "#1e1e28", 100: "#262633" },
  },
  schema: { nestedBackground: "#1e1e28", typeNameColor: "#abadbd", typeTitleColor: "#abadbd", requireLabelColor: "#ff9d96" },
  sidebar: { backgroundColor: "#1e1e28", textColor: "#e9e9f0" },
  rightPanel: { backgroundColor: "#101016" },
  typography: { code: { color: "#ff9d96", backgroundColor: "#262633" }, links: { color: "#a5b4fc" } },
};
const LIGHT = { colors: { primary: { main: "#4338ca" } } };
const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
document.querySelector("redoc").setAttribute("theme", JSON.stringify(isDark ? DARK : LIGHT));
