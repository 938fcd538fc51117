// Reads the QR code of a printed certificate with the camera, where the browser can.
"use strict";
(() => {
  const button = document.getElementById("scan");
  const field = document.getElementById("scanned");
  const view = document.getElementById("camera");
  if (!button || !("BarcodeDetector" in window) || !navigator.mediaDevices) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const detector = new window.BarcodeDetector({ formats: ["qr_code"] });
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    const stop = () => { stream.getTracks().forEach((track) => track.stop()); view.hidden = true; };
    view.srcObject = stream;
    view.hidden = false;
    await view.play();
    window.addEventListener("pagehide", stop);
    const look = async () => {
      if (view.hidden) return;
      const codes = await detector.detect(view).catch(() => []);
      if (codes.length === 0) { window.setTimeout(look, 200); return; }
      field.value = codes[0].rawValue;
      stop();
      field.form.requestSubmit();
    };
    look();
  });
})();
