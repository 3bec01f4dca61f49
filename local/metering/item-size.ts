/** A value and an item in DynamoDB's own JSON: `{ "S": "text" }`. */
export type Wire = Record<string, unknown>;
export type WireItem = Record<string, Wire>;

/** Bytes that a list or a map costs beside its contents, and each of its elements. */
const COLLECTION_BYTES = 3;
const ELEMENT_BYTES = 1;

const utf8 = (text: string): number => Buffer.byteLength(text, "utf8");

/** One byte for each two significant digits, one more, and one for a minus. */
const numberBytes = (text: string): number => {
	const digits = text
		.replace(/^[-+]/, "")
		.replace(/e.*$/i, "")
		.replace(".", "")
		.replace(/^0+|0+$/g, "");
	return 1 + Math.ceil(digits.length / 2) + (text.startsWith("-") && digits.length > 0 ? 1 : 0);
};

const sum = <T>(items: readonly T[], size: (item: T) => number): number =>
	items.reduce((total, item) => total + size(item), 0);

/** Bytes of a value by DynamoDB's published rules. */
export const valueBytes = (value: Wire): number => {
	const [type, content] = Object.entries(value)[0] ?? ["NULL", true];
	switch (type) {
		case "S":
			return utf8(content as string);
		case "N":
			return numberBytes(content as string);
		case "B":
			return Buffer.from(content as string, "base64").byteLength;
		case "SS":
			return sum(content as string[], utf8);
		case "NS":
			return sum(content as string[], numberBytes);
		case "BS":
			return sum(content as string[], (text) => Buffer.from(text, "base64").byteLength);
		case "L":
			return COLLECTION_BYTES + sum(content as Wire[], (item) => ELEMENT_BYTES + valueBytes(item));
		case "M":
			return (
				COLLECTION_BYTES + sum(Object.keys(content as object), () => ELEMENT_BYTES) + itemBytes(content as WireItem)
			);
		default:
			// BOOL, NULL
			return 1;
	}
};

/** Bytes of an item: its attributes' names and values. */
export const itemBytes = (item: WireItem): number =>
	sum(Object.entries(item), ([name, value]) => utf8(name) + valueBytes(value));
