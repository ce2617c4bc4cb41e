const canvas = Object.assign(document.createElement("canvas"), { width: 250, height: 250 });
const to = canvas.getContext("2d");
const noise = to.createImageData(250, 250);
for (let at = 0; at < noise.data.length; at += 65536) crypto.getRandomValues(noise.data.subarray(at, at + 65536));
to.putImageData(noise, 0, 0);
return canvas.toDataURL("image/png").split(",")[1];
