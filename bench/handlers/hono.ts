import { Hono, type MiddlewareHandler } from "hono";

const poweredBy: MiddlewareHandler = async (context, next) => {
  await next();
  context.header("x-powered-by", "Hono");
};

const onlyKnown: MiddlewareHandler = async (context, next) => {
  if (context.req.header("authorization") === "none") {
    return context.text("Unauthorized", 401);
  }
  await next();
};

const app = new Hono();
app.get("/", (context) => context.text("Hello, Hono!"));
app.use("/hello/*", poweredBy, onlyKnown);
app.get("/hello/:name", (context) => context.json({ hello: context.req.param("name") }));

/** A Hono app, passed to each server as Hono's guide for the runtime does. */
export default app.fetch;
