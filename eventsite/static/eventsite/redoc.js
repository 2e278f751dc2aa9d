// ReDoc shows a logo of its makers from their server. This page asks no other server, and does not even try to.
"use strict";

HTMLImageElement.prototype.setAttribute = function (name, value) {
  const url = name === "src" && new URL(value, location);
  if (!url || url.protocol === "data:" || url.origin === location.origin) Element.prototype.setAttribute.call(this, name, value);
};
