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
