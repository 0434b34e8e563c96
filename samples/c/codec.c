/*
 * A codec for sipae (docs/codec-protocol.md) whose reader is somebody else's: libosip2 reads the messages and the
 * authentication header fields, Jansson reads and writes JSON. Nothing here corrects what libosip2 reads. What it is
 * not made for is answered with `unsupported` and the reason; where it reads otherwise, the answer stands as it is
 * (KNOWN.md).
 */
#include <ctype.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>

#include <osipparser2/osip_message.h>
#include <osipparser2/osip_parser.h>

/* ---- Outcomes: an answer, or a member `unsupported` or `malformed` with its reason ---- */

static json_t *reason(const char *member, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	json_t *outcome = json_pack("{s:s}", member, text);
	return outcome ? outcome : json_pack("{s:s}", member, "a reason that is not UTF-8");
}

/* Takes `answer` over. */
static json_t *answered(json_t *answer)
{
	return answer ? json_pack("{s:o}", "answer", answer) : reason("unsupported", "text that is not UTF-8");
}

/* A text of the inputs; none where it is missing or no text. */
static const char *input(const json_t *inputs, const char *name, size_t *length)
{
	json_t *value = json_object_get(inputs, name);

	*length = json_string_length(value);
	return json_string_value(value);
}

/* Its readers measure what is left of a text for each parameter: the time grows with the square of the length. */
enum { LONGEST = 1 << 16 };

/* A text of the inputs that libosip2 can be given: its strings end at the first NUL. */
static const char *c_input(const json_t *inputs, const char *name, json_t **refusal)
{
	size_t length;
	const char *text = input(inputs, name, &length);

	*refusal = NULL;
	if (!text)
		*refusal = reason("malformed", "inputs: %s is no text", name);
	else if (strlen(text) != length)
		*refusal = reason("unsupported", "libosip2 ends a text at a NUL");
	else if (length > LONGEST)
		*refusal = reason("unsupported", "libosip2 takes too long for more than %d octets", (int)LONGEST);
	return text;
}

/* ---- base16 and base64 ---- */

static json_t *base16(const json_t *inputs)
{
	size_t length;
	const char *text = input(inputs, "text", &length);

	if (!text)
		return reason("malformed", "inputs: text is no text");
	bool strict = length % 2 == 0;
	for (size_t i = 0; i < length; i++)
		strict = strict && isxdigit((unsigned char)text[i]);
	if (!strict)
		return answered(json_pack("{s:n}", "decoded"));

	char *lower = malloc(length + 1), *upper = malloc(length + 1);
	json_t *answer = NULL;
	if (lower && upper) {
		for (size_t i = 0; i <= length; i++) {
			lower[i] = (char)tolower((unsigned char)text[i]);
			upper[i] = (char)toupper((unsigned char)text[i]);
		}
		answer = json_pack("{s:s, s:s, s:s}", "decoded", lower, "canonical_lower", lower, "canonical_upper", upper);
	}
	free(lower);
	free(upper);
	return answered(answer);
}

/* Strict RFC 4648 section 4; the octets as hexadecimal digits, or JSON null. */
static json_t *decoded_base64(const char *text, size_t length)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t padding = 0, digits = 0;
	unsigned bits = 0, held = 0;

	if (length % 4 != 0)
		return json_null();
	while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
		padding++;
	char *hex = malloc(length * 3 / 2 + 1);
	if (!hex)
		return NULL;
	hex[0] = '\0';
	for (size_t i = 0; i < length - padding; i++) {
		const char *place = text[i] ? strchr(alphabet, text[i]) : NULL;
		if (!place) {
			free(hex);
			return json_null();
		}
		bits = (bits << 6 | (unsigned)(place - alphabet)) & 0xfff;
		held += 6;
		if (held >= 8) {
			held -= 8;
			snprintf(hex + digits, 3, "%02x", bits >> held & 0xff);
			digits += 2;
		}
	}
	bool canonical = (bits & ((1u << held) - 1)) == 0; /* what padding leaves over is zero */
	json_t *decoded = canonical ? json_string(hex) : json_null();
	free(hex);
	return decoded;
}

static json_t *base64(const json_t *inputs)
{
	size_t length;
	const char *text = input(inputs, "text", &length);

	return text ? answered(json_pack("{s:o}", "decoded", decoded_base64(text, length)))
	            : reason("malformed", "inputs: text is no text");
}

/* ---- auth_header: one of the three readers of libosip2 ---- */

struct field {
	const char *name;
	size_t offset; /* of the char * in the structure of libosip2 */
};

#define FIELD(type, name, member) {name, offsetof(type, member)}

static const struct field challenge_fields[] = {
	FIELD(osip_www_authenticate_t, "realm", realm),
	FIELD(osip_www_authenticate_t, "domain", domain),
	FIELD(osip_www_authenticate_t, "nonce", nonce),
	FIELD(osip_www_authenticate_t, "opaque", opaque),
	FIELD(osip_www_authenticate_t, "stale", stale),
	FIELD(osip_www_authenticate_t, "algorithm", algorithm),
	FIELD(osip_www_authenticate_t, "qop", qop_options),
	FIELD(osip_www_authenticate_t, "version", version),
	FIELD(osip_www_authenticate_t, "targetname", targetname),
	FIELD(osip_www_authenticate_t, "gssapi-data", gssapi_data),
	{NULL, 0},
};

static const struct field credentials_fields[] = {
	FIELD(osip_authorization_t, "username", username),
	FIELD(osip_authorization_t, "realm", realm),
	FIELD(osip_authorization_t, "nonce", nonce),
	FIELD(osip_authorization_t, "uri", uri),
	FIELD(osip_authorization_t, "response", response),
	FIELD(osip_authorization_t, "digest", digest),
	FIELD(osip_authorization_t, "algorithm", algorithm),
	FIELD(osip_authorization_t, "cnonce", cnonce),
	FIELD(osip_authorization_t, "opaque", opaque),
	FIELD(osip_authorization_t, "qop", message_qop),
	FIELD(osip_authorization_t, "nc", nonce_count),
	FIELD(osip_authorization_t, "version", version),
	FIELD(osip_authorization_t, "targetname", targetname),
	FIELD(osip_authorization_t, "gssapi-data", gssapi_data),
	FIELD(osip_authorization_t, "crand", crand),
	FIELD(osip_authorization_t, "cnum", cnum),
	{NULL, 0},
};

static const struct field info_fields[] = {
	FIELD(osip_authentication_info_t, "nextnonce", nextnonce),
	FIELD(osip_authentication_info_t, "qop", qop_options),
	FIELD(osip_authentication_info_t, "rspauth", rspauth),
	FIELD(osip_authentication_info_t, "cnonce", cnonce),
	FIELD(osip_authentication_info_t, "nc", nonce_count),
	FIELD(osip_authentication_info_t, "snum", snum),
	FIELD(osip_authentication_info_t, "srand", srand),
	FIELD(osip_authentication_info_t, "realm", realm),
	FIELD(osip_authentication_info_t, "targetname", targetname),
	FIELD(osip_authentication_info_t, "opaque", opaque),
	{NULL, 0},
};

/* What libosip2 read, without the quotation marks that it keeps. In all three structures the scheme stands first. */
static json_t *facts(const void *header, const struct field *fields)
{
	char *value;
	json_t *params = json_object();

	for (; fields->name; fields++) {
		memcpy(&value, (const char *)header + fields->offset, sizeof value);
		if (!value)
			continue;
		size_t length = strlen(value);
		bool quoted = length >= 2 && value[0] == '"' && value[length - 1] == '"';
		json_object_set_new(params, fields->name, json_stringn(value + quoted, length - 2 * quoted));
	}
	memcpy(&value, header, sizeof value);
	return json_pack("{s:s, s:o}", "scheme", value ? value : "", "params", params);
}

#define READER(name, type) \
	static json_t *name(const char *text) \
	{ \
		osip_##type##_t *header = NULL; \
		json_t *read = NULL; \
		if (osip_##type##_init(&header) != 0) \
			return NULL; \
		if (osip_##type##_parse(header, text) == 0) \
			read = facts(header, name##_fields); \
		osip_##type##_free(header); \
		return read; \
	} \
	_Static_assert(offsetof(osip_##type##_t, auth_type) == 0, "the scheme stands first")

READER(challenge, www_authenticate);
READER(credentials, authorization);
READER(info, authentication_info);

static const struct {
	const char *name;
	json_t *(*read)(const char *);
	const struct field *fields;
} readers[] = {
	{"osip_www_authenticate_parse", challenge, challenge_fields},
	{"osip_authorization_parse", credentials, credentials_fields},
	{"osip_authentication_info_parse", info, info_fields},
};

static bool knows(const struct field *fields, const char *name)
{
	while (fields->name && strcmp(fields->name, name) != 0)
		fields++;
	return fields->name;
}

static bool is_token(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("-.!%*_+`'~", c));
}

/* The names before equals signs outside quotation marks, each with true where the value is "": only to tell beforehand
 * what libosip2 passes over, never to read a value. */
static json_t *names_in(const char *text)
{
	json_t *names = json_object();
	bool quoted = false;

	for (const char *at = text; *at; at++) {
		if (*at == '"')
			quoted = !quoted;
		if (quoted || !is_token(*at) || (at > text && (is_token(at[-1]) || at[-1] == '=')))
			continue;
		const char *end = at, *equals;
		while (is_token(*end))
			end++;
		equals = end + strspn(end, " \t");
		if (*equals != '=')
			continue;
		char name[64];
		size_t length = (size_t)(end - at) < sizeof name ? (size_t)(end - at) : sizeof name - 1;
		for (size_t i = 0; i < length; i++)
			name[i] = (char)tolower((unsigned char)at[i]);
		name[length] = '\0';
		const char *value = equals + 1 + strspn(equals + 1, " \t");
		if (!json_object_get(names, name))
			json_object_set_new(names, name, json_boolean(strncmp(value, "\"\"", 2) == 0));
	}
	return names;
}

/* The reader that knows most of the names; among those that know as many, the one that reads most. */
static size_t best_reader(const char *text, json_t *names, json_t **best)
{
	size_t chosen = 0, most = 0;
	const char *name;
	json_t *empty;

	*best = NULL;
	for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
		size_t known = 0;
		json_object_foreach(names, name, empty)
			known += knows(readers[i].fields, name);
		json_t *read = readers[i].read(text);
		size_t rank = 1 + known * 64 + json_object_size(json_object_get(read, "params")) * 2 + (read != NULL);
		if (rank > most) {
			json_decref(*best);
			*best = read;
			chosen = i;
			most = rank;
		} else {
			json_decref(read);
		}
	}
	return chosen;
}

static json_t *auth_header(const json_t *inputs)
{
	json_t *outcome, *read, *empty;
	const char *text = c_input(inputs, "header", &outcome), *name;

	if (outcome)
		return outcome;
	if (strpbrk(text, "\r\n"))
		return reason("unsupported", "libosip2 joins folds in whole messages only");
	json_t *names = names_in(text);
	size_t reader = best_reader(text, names, &read);
	json_object_foreach(names, name, empty) {
		if (!outcome && !knows(readers[reader].fields, name))
			outcome = reason("unsupported", "libosip2: %s passes over %s", readers[reader].name, name);
		else if (!outcome && read && json_is_true(empty) && !json_object_get(json_object_get(read, "params"), name))
			outcome = reason("unsupported", "libosip2 passes over an empty value");
	}
	if (!outcome && !read)
		outcome = reason("malformed", "libosip2: %s refuses it", readers[reader].name);
	json_decref(names);
	if (!outcome)
		return answered(read);
	json_decref(read);
	return outcome;
}

/* ---- sip_buffer ---- */

/* The values that the buffer takes from the rest of the message, all of them allocated or none. */
struct values {
	char *call_id, *number, *method, *from_uri, *from_tag, *to_uri, *to_tag, *sip, *tel, *expires;
};

static void free_values(struct values *values)
{
	char **all[] = {
		&values->call_id, &values->number, &values->method, &values->from_uri, &values->from_tag,
		&values->to_uri, &values->to_tag, &values->sip, &values->tel, &values->expires,
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		osip_free(*all[i]);
}

static char *copy(const char *text)
{
	return text ? osip_strdup(text) : NULL;
}

/* URI and tag of From or To, which are one type in libosip2. */
static int read_address(const osip_from_t *address, char **uri, char **tag)
{
	osip_generic_param_t *param = NULL;

	if (!address)
		return 0;
	if (!address->url || osip_uri_to_str(address->url, uri) != 0)
		return -1;
	osip_uri_param_get_byname((osip_list_t *)&address->gen_params, (char *)"tag", &param);
	*tag = param ? copy(param->gvalue) : NULL;
	return 0;
}

/* The URI of one element of P-Asserted-Identity: a bare one keeps its parameters (RFC 3325 9.1). */
static char *identity(const char *element)
{
	char *uri = NULL;

	if (strchr(element, '<')) {
		osip_from_t *address = NULL;
		if (osip_from_init(&address) == 0 && osip_from_parse(address, element) == 0 && address->url)
			osip_uri_to_str(address->url, &uri);
		osip_from_free(address);
	} else {
		osip_uri_t *url = NULL;
		if (osip_uri_init(&url) == 0 && osip_uri_parse(url, element) == 0)
			osip_uri_to_str(url, &uri);
		osip_uri_free(url);
	}
	return uri;
}

static void read_identities(const osip_message_t *sip, struct values *values)
{
	static const char *const names[] = {"p-asserted-identity", "p-preferred-identity"};
	osip_header_t *header = NULL;

	for (size_t i = 0; i < 2; i++) {
		for (int at = 0; (at = osip_message_header_get_byname(sip, names[i], at, &header)) >= 0; at++) {
			char *uri = identity(header->hvalue ? header->hvalue : "");
			bool is_sip = uri && (strncasecmp(uri, "sip:", 4) == 0 || strncasecmp(uri, "sips:", 5) == 0);
			bool is_tel = uri && strncasecmp(uri, "tel:", 4) == 0;
			if (is_sip && !values->sip)
				values->sip = uri;
			else if (is_tel && !values->tel)
				values->tel = uri;
			else
				osip_free(uri);
			header = NULL;
		}
		if (osip_message_header_get_byname(sip, names[i], 0, &header) >= 0)
			return; /* P-Asserted-Identity wins as a whole */
	}
}

static json_t *read_values(const osip_message_t *sip, struct values *values)
{
	osip_header_t *expires = NULL, *again = NULL;

	if (sip->call_id && osip_call_id_to_str(sip->call_id, &values->call_id) != 0)
		return reason("malformed", "libosip2: Call-ID");
	values->number = copy(sip->cseq ? sip->cseq->number : NULL);
	values->method = copy(sip->cseq ? sip->cseq->method : NULL);
	if (read_address(sip->from, &values->from_uri, &values->from_tag) != 0)
		return reason("malformed", "libosip2: From");
	if (read_address(sip->to, &values->to_uri, &values->to_tag) != 0)
		return reason("malformed", "libosip2: To");
	read_identities(sip, values);
	int at = osip_message_header_get_byname(sip, "expires", 0, &expires);
	if (at >= 0 && osip_message_header_get_byname(sip, "expires", at + 1, &again) >= 0)
		return reason("malformed", "Expires stands twice");
	values->expires = copy(at >= 0 ? expires->hvalue : NULL);
	return NULL;
}

/* libosip2 takes URIs apart and writes them anew. What does not stand in the message was rewritten. */
static json_t *rewritten(const char *message, const struct values *values)
{
	const struct {
		const char *name, *value;
	} uris[] = {
		{"From", values->from_uri}, {"To", values->to_uri}, {"Call-ID", values->call_id},
		{"sip identity", values->sip}, {"tel identity", values->tel},
	};

	for (size_t i = 0; i < sizeof uris / sizeof *uris; i++)
		if (uris[i].value && !strstr(message, uris[i].value))
			return reason("unsupported", "libosip2 rewrites %s", uris[i].name);
	return NULL;
}

static const char *const context_names[] = {"scheme", "rand", "num", "realm", "targetname"};

enum { CONTEXT_NAMES = sizeof context_names / sizeof *context_names };

static json_t *buffer(const osip_message_t *sip, const json_t *context, const struct values *values, int version)
{
	const char *more[] = {
		values->call_id, values->number, values->method, values->from_uri, values->from_tag,
		values->to_uri, values->to_tag, values->sip, values->tel, values->expires,
	};
	char *text = NULL;
	size_t size = 0, length;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < CONTEXT_NAMES; i++) {
		const char *value = input(context, context_names[i], &length);
		fputc('<', out);
		fwrite(value, 1, length, out);
		fputc('>', out);
	}
	for (size_t i = 0; i < sizeof more / sizeof *more; i++)
		if (version > 2 || (i != 5 && i != 7 && i != 8)) /* version 2 has neither To URI nor identities */
			fprintf(out, "<%s>", more[i] ? more[i] : "");
	if (MSG_IS_RESPONSE(sip))
		fprintf(out, "<%d>", sip->status_code);
	json_t *result = fclose(out) == 0 ? json_stringn(text, size) : NULL;
	free(text);
	return result;
}

static json_t *sip_buffer(const json_t *inputs)
{
	json_t *outcome;
	const json_t *context = json_object_get(inputs, "context");
	const char *message = c_input(inputs, "message", &outcome);
	osip_message_t *sip = NULL;
	struct values values = {0};

	for (size_t i = 0; !outcome && i < CONTEXT_NAMES; i++)
		if (!json_is_string(json_object_get(context, context_names[i])))
			outcome = reason("malformed", "inputs: context: %s is no text", context_names[i]);
	if (outcome)
		return outcome;
	if (osip_message_init(&sip) != 0)
		return reason("unsupported", "memory");
	int error = osip_message_parse(sip, message, strlen(message));
	outcome = error ? reason("malformed", "libosip2: osip_message_parse says %d", error) : read_values(sip, &values);
	if (!outcome)
		outcome = rewritten(message, &values);
	if (!outcome)
		outcome = answered(json_pack("{s:{s:o, s:o, s:o}}", "buffers", "2", buffer(sip, context, &values, 2), "3",
		                             buffer(sip, context, &values, 3), "4", buffer(sip, context, &values, 4)));
	free_values(&values);
	osip_message_free(sip);
	return outcome;
}

/* ---- The protocol ---- */

static const struct {
	const char *name;
	json_t *(*run)(const json_t *inputs);
} operations[] = {
	{"auth_header", auth_header},
	{"base16", base16},
	{"base64", base64},
	{"sip_buffer", sip_buffer},
};

enum { OPERATIONS = sizeof operations / sizeof *operations };

/* Writes one line and takes `line` over. */
static void say(json_t *line)
{
	if (!line || json_dumpf(line, stdout, JSON_COMPACT) != 0) {
		fputs("codec: an answer cannot be written\n", stderr);
		exit(1);
	}
	putchar('\n');
	fflush(stdout);
	json_decref(line);
}

static json_t *respond(const json_t *request)
{
	const char *op = json_string_value(json_object_get(request, "op"));
	json_t *outcome = NULL;

	for (size_t i = 0; op && !outcome && i < OPERATIONS; i++)
		if (strcmp(operations[i].name, op) == 0)
			outcome = operations[i].run(json_object_get(request, "inputs"));
	if (!outcome)
		outcome = reason("unsupported", "%s", op ? op : "a request without operation");
	json_object_set(outcome, "id", json_object_get(request, "id"));
	return outcome;
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	json_error_t error;
	json_t *names = json_array();

	osip_trace_initialize(OSIP_WARNING, stderr); /* by itself it complains on the standard output */
	parser_init();
	for (size_t i = 0; i < OPERATIONS; i++)
		json_array_append_new(names, json_string(operations[i].name));
	say(json_pack("{s:s, s:i, s:s, s:o}", "protocol", "sipae-codec", "version", 1, "program", "libosip2 sample",
	              "operations", names));
	while ((length = getline(&line, &size, stdin)) >= 0) {
		if (strspn(line, " \t\r\n") == (size_t)length)
			continue;
		json_t *request = json_loadb(line, (size_t)length, JSON_ALLOW_NUL, &error);
		if (json_is_integer(json_object_get(request, "id")))
			say(respond(request));
		else
			fprintf(stderr, "codec: no request: %s\n", error.text);
		json_decref(request);
	}
	free(line);
	return 0;
}
