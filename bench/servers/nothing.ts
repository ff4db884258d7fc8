// A runtime that does nothing: what the memory of the others is compared with.
setInterval(() => {}, 60_000);
console.log(0);
