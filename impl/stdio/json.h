/* A line of JSON as a tree. What is asked comes from the suite, so a line that is not JSON ends the program. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum type { NUL, FALSE, TRUE, NUMBER, TEXT, LIST, OBJECT };

struct node {
	enum type type;
	const char *name; /* in an object */
	const char *text;
	double number;
	struct node *first, *next;
};

static struct node *nodes;
static size_t used, room;
static char *at;

static void refuse(const char *why)
{
	fprintf(stderr, "harness: %s\n", why);
	exit(1);
}

static void blanks(void)
{
	while (*at == ' ' || *at == ',' || *at == ':')
		at++;
}

/* Without escapes: no word of the protocol has one. */
static const char *text(void)
{
	char *begin = ++at;
	at = strchr(at, '"');
	if (!at)
		refuse("a text without an end");
	*at++ = 0;
	return begin;
}

static struct node *value(void)
{
	struct node *node, **last;
	bool object;

	blanks();
	if (used == room)
		refuse("more values on a line than it has bytes");
	node = &nodes[used++];
	memset(node, 0, sizeof(*node));
	if (*at == '"') {
		node->type = TEXT;
		node->text = text();
	} else if (*at == '[' || *at == '{') {
		object = *at++ == '{';
		node->type = object ? OBJECT : LIST;
		last = &node->first;
		for (blanks(); *at != ']' && *at != '}'; blanks()) {
			const char *name = NULL;
			if (object) {
				name = text();
				blanks();
			}
			*last = value();
			(*last)->name = name;
			last = &(*last)->next;
		}
		at++;
	} else if (*at == 't' || *at == 'f' || *at == 'n') {
		node->type = *at == 't' ? TRUE : *at == 'f' ? FALSE : NUL;
		at += *at == 'f' ? 5 : 4;
	} else {
		char *end;
		node->type = NUMBER;
		node->number = strtod(at, &end);
		if (end == at)
			refuse("expected JSON");
		at = end;
	}
	return node;
}

static struct node *get(struct node *object, const char *name)
{
	struct node *node = object ? object->first : NULL;
	while (node && strcmp(node->name, name))
		node = node->next;
	return node;
}

static uint32_t number(struct node *object, const char *name, uint32_t other)
{
	struct node *node = get(object, name);
	return node ? (uint32_t)(int64_t)node->number : other;
}

static bool is(struct node *node, const char *word)
{
	return node && node->type == TEXT && !strcmp(node->text, word);
}

/* The tree of a line, which it changes. It lasts until the next. */
static struct node *parse(char *line)
{
	size_t bytes = strlen(line);

	if (bytes > room) {
		nodes = realloc(nodes, bytes * sizeof(*nodes));
		room = bytes;
	}
	if (!nodes)
		refuse("no memory");
	used = 0;
	at = line;
	return value();
}
