/**
 * Every resource of /api/v1 as a schema and a type of the same name. The console imports the types, the routes and the
 * OpenAPI document the schemas.
 *
 * GET    /town /now /history?service /fleet /quarantine /events
 * GET    /devices?kind&street&zone&q /devices/:id /devices/:id/why /devices/:id/readings?measure&from&to&every_s
 * GET    /lamps/levels?at /junctions /junctions/:id /containers /rounds?day /rounds/:id
 * GET    /decisions?name&subject&because&mode&from&to /decisions/:id /decisions/verify   POST /decisions/:id/replay
 * GET    /groups
 * GET    /overrides?state   POST /overrides   DELETE /overrides/:id
 * GET    /alarms?state      PATCH /alarms/:id
 * GET    /policies          PUT /policies/:name
 * GET    /session           POST /session (sign in)   DELETE /session
 * GET    /accounts          POST /accounts   PATCH, DELETE /accounts/:name
 * GET    /api-keys          POST /api-keys   DELETE /api-keys/:id
 */
export * from "./resources/devices.ts";
export * from "./resources/parts.ts";
export * from "./resources/people.ts";
export * from "./resources/services.ts";
export * from "./resources/stream.ts";
export * from "./resources/town.ts";
