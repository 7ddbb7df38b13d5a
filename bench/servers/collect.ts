// Loaded into every server that runs on Node, with --expose-gc: collects garbage when asked, so that what is measured
// is what the server keeps and not what it has not thrown away yet.
process.on('message', () => {
  globalThis.gc?.();
  globalThis.gc?.();
  process.send?.('collected');
});
process.channel?.unref();
process.once('disconnect', () => process.exit());
