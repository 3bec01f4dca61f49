import { z } from "zod";
import { CONTACT_ROW, type DocumentedRoute, ROUTES } from "./routes.ts";

type Json = Record<string, unknown>;

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

/** The JSON schema of a zod schema, as a request is written (input) or as an answer is read (output). */
const toJsonSchema = (schema: z.ZodType, io: "input" | "output"): Json => {
	const { $schema: _, ...json } = z.toJSONSchema(schema, { io, target: "draft-2020-12", unrepresentable: "any" });
	return json;
};

const ERROR_STATUSES: Record<string, string> = {
	"400": "The request is malformed: `details` says where.",
	"401": "No token, or one that is unknown, expired or revoked.",
	"403": "The token may not do this.",
	"404": "There is no such thing.",
	"409": "It contradicts the state of things; or the Idempotency-Key was used with another body.",
	"413": "The body is over 4 MB: use the uploads.",
	"422": "It is understood and cannot be done, or is not built yet.",
	"429": "Too many requests: repeat after a moment.",
	"503": "A passing fault: repeat the same request after a moment.",
};

const errorResponses = (route: DocumentedRoute): Json => {
	const used = Object.entries(ERROR_STATUSES).filter(
		([status]) =>
			(route.token !== "none" || status !== "401") &&
			(route.token !== "none" || route.body !== undefined || status !== "403") &&
			(!["GET", "DELETE"].includes(route.method) || !["413", "422"].includes(status)),
	);
	return Object.fromEntries(used.map(([status]) => [status, { $ref: `#/components/responses/${status}` }]));
};

const parameters = (route: DocumentedRoute): Json[] => [
	...[...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
		name,
		in: "path",
		required: true,
		schema: { type: "string" },
	})),
	...(route.creates
		? [
				{
					name: "Idempotency-Key",
					in: "header",
					description: "The same key and body within 24 h get the first answer; another body gets 409.",
					schema: { type: "string", pattern: "^[\\x21-\\x7e]{1,255}$" },
				},
			]
		: []),
	...(route.path.endsWith("/peek")
		? [
				{
					name: "epoch",
					in: "query",
					description: "The host's epoch; where it has ended, the answer is 409 staleEpoch.",
					schema: { type: "integer", minimum: 1 },
				},
			]
		: []),
	...(route.resumed
		? [
				{
					name: "fromLine",
					in: "query",
					description: "Rows before this line are passed over.",
					schema: { type: "integer", minimum: 1 },
				},
				{
					name: "more",
					in: "query",
					description: "Other parts of the list follow: its age counts from the first body without this.",
					schema: { type: "boolean" },
				},
			]
		: []),
	...(route.paged
		? [
				{ name: "limit", in: "query", schema: { type: "integer", minimum: 1 } },
				{ name: "cursor", in: "query", description: "From the page before.", schema: { type: "string" } },
			]
		: []),
];

const requestBody = (route: DocumentedRoute): Json => {
	if (route.listBody) {
		const { name, ndjson, csv } = route.listBody;
		return {
			requestBody: {
				required: true,
				content: {
					"application/json": { schema: { type: "array", items: ref(name) } },
					"application/x-ndjson": { schema: { type: "string", description: ndjson } },
					"text/csv": { schema: { type: "string", description: csv } },
				},
			},
		};
	}
	return route.body
		? { requestBody: { required: true, content: { "application/json": { schema: ref(route.body.name) } } } }
		: {};
};

const operation = (route: DocumentedRoute): Json => ({
	summary: route.summary,
	...(route.token === "none" ? { security: [] } : { security: [{ [route.token]: [] }] }),
	...(parameters(route).length > 0 ? { parameters: parameters(route) } : {}),
	...requestBody(route),
	responses: {
		...Object.fromEntries(
			route.answers.map((answer) => [
				String(answer.status),
				{
					description: answer.description,
					content: {
						"application/json": { schema: answer.name ? ref(answer.name) : { type: "object" } },
						...(answer.csv ? { "text/csv": { schema: { type: "string" } } } : {}),
					},
				},
			]),
		),
		...errorResponses(route),
	},
});

const ERROR_SCHEMA: Json = {
	type: "object",
	required: ["error"],
	properties: {
		error: {
			type: "object",
			required: ["code", "message", "details"],
			properties: {
				code: { type: "string" },
				message: { type: "string" },
				details: {
					type: "array",
					items: {
						type: "object",
						required: ["path", "message"],
						properties: {
							path: { type: "string", description: "JSON path of the field; empty for the whole body." },
							message: { type: "string" },
						},
					},
				},
			},
		},
	},
};

const schemas = (): Json => {
	const found: Json = { Error: ERROR_SCHEMA, [CONTACT_ROW.name]: toJsonSchema(CONTACT_ROW.schema, "input") };
	for (const route of ROUTES) {
		if (route.listBody) found[route.listBody.name] = toJsonSchema(route.listBody.schema, "input");
		if (route.body) found[route.body.name] = toJsonSchema(route.body.schema, "input");
		for (const { name, schema } of route.answers) if (name && schema) found[name] = toJsonSchema(schema, "output");
	}
	// In the contract each row is checked by itself, so the campaign's own schema leaves rows open.
	const campaign = found["Campaign"] as { properties: { contacts: Json } };
	campaign.properties.contacts["items"] = ref(CONTACT_ROW.name);
	return found;
};

const responses = (): Json =>
	Object.fromEntries(
		Object.entries(ERROR_STATUSES).map(([status, description]) => [
			status,
			{ description, content: { "application/json": { schema: ref("Error") } } },
		]),
	);

/** The OpenAPI document of the API, made from the contract's schemas. @param version the package's */
export const openApiDocument = (version: string): Json => {
	const paths: Record<string, Json> = {};
	for (const route of ROUTES) {
		paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
	}
	return {
		openapi: "3.1.0",
		info: {
			title: "burst-dialer",
			version,
			description:
				"A serverless outbound dialer for your own Asterisk hosts. Times are ISO 8601, durations say their unit.",
			license: { name: "Apache-2.0", identifier: "Apache-2.0" },
		},
		paths,
		components: {
			securitySchemes: {
				operator: { type: "http", scheme: "bearer", description: "From `burst-dialer token create`." },
				host: { type: "http", scheme: "bearer", description: "From `burst-dialer host add`; for that host only." },
			},
			responses: responses(),
			schemas: schemas(),
		},
	};
};

/** The document as it is stored: stable, readable in a diff. */
export const openApiText = (version: string): string => `${JSON.stringify(openApiDocument(version), null, "\t")}\n`;
