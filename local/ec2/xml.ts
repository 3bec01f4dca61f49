/** What an answer is made of: a list becomes EC2's `<item>`s, undefined is left out. */
export type Xml = string | number | boolean | undefined | Xml[] | { [element: string]: Xml };

const escaped = (text: string): string => text.replace(/[<>&"']/g, (c) => `&#${c.charCodeAt(0)};`);

const content = (value: Xml): string => {
	if (value === undefined) return "";
	if (Array.isArray(value)) return value.map((item) => `<item>${content(item)}</item>`).join("");
	if (typeof value !== "object") return escaped(String(value));
	return Object.entries(value)
		.filter(([, inner]) => inner !== undefined)
		.map(([name, inner]) => `<${name}>${content(inner)}</${name}>`)
		.join("");
};

const PROLOG = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** The answer to an action, as EC2's query API gives it. */
export const answerXml = (
	action: string,
	version: string,
	requestId: string,
	body: { [element: string]: Xml },
): string =>
	`${PROLOG}<${action}Response xmlns="http://ec2.amazonaws.com/doc/${version}/">${content({ requestId, ...body })}</${action}Response>`;

/** EC2's own format of errors: other query services have another. */
export const errorXml = (requestId: string, code: string, message: string): string =>
	`${PROLOG}<Response>${content({ Errors: { Error: { Code: code, Message: message } }, RequestID: requestId })}</Response>`;
