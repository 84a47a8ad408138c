/* exim_lines.count once more, compiled: the same lines, counted the same way.

   It may take fewer lines than the expression there, never others: what it does not know goes to
   `other`, as there. A line is a range of bytes that everything here stops at the end of; nothing
   is written but Python's objects. */

#define PY_SSIZE_T_CLEAN
#define _GNU_SOURCE
#include <Python.h>
#include <string.h>

/* What is left of a line, or a part of one. */
typedef struct {
    const char *at, *end;
} Text;

enum {
    DIGIT = 1,
    WORD = 2,        /* \w */
    PROTOCOL = 4,    /* [\w-] */
    SESSION = 8,     /* [\w.:+-] */
    ADDRESS = 16,    /* [0-9a-fA-F.:] */
    FULL = 32,       /* \S */
    UNQUOTED = 64,   /* [^\s"] */
    BARE = 128,      /* [^\s">] */
    NAME = 256,      /* [^\s()\[\]="] */
    HELO = 512,      /* [^\s()="] */
    BRACKETED = 1024, /* [^\]\s] */
    LOCAL_PART = 2048 /* [^\s"@] */
};

static unsigned short sets[256];

/* Index of COUNTED in exim_lines. */
enum { COMPLETED, DEFERRED, FAILED, LOCAL, REJECTED, OTHER = 6, KINDS = 8 };

static PyObject *word_count, *one, *nothing;

static int is(char byte, int set) { return sets[(unsigned char)byte] & set; }

/* Each of these goes on behind what it looks for, or stays and says 0. */

static int literal(Text *line, const char *words)
{
    size_t size = strlen(words);
    if ((size_t)(line->end - line->at) < size || memcmp(line->at, words, size)) return 0;
    line->at += size;
    return 1;
}

static size_t span(Text *line, int set)
{
    const char *begin = line->at;
    while (line->at < line->end && is(*line->at, set)) line->at++;
    return (size_t)(line->at - begin);
}

/* A field if it is there: 0 only if it begins and is not whole. */
static int maybe(Text *line, const char *begin, int set, const char *end)
{
    return !literal(line, begin) || (span(line, set) && literal(line, end));
}

static int port(Text *line) { return maybe(line, ":", DIGIT, ""); }

static int interface(Text *line)
{
    return !literal(line, " I=[") || (span(line, BRACKETED) && literal(line, "]") && port(line));
}

static int address(Text *line, Text *found)
{
    if (!literal(line, "[")) return 0;
    found->at = line->at;
    if (!span(line, ADDRESS)) return 0;
    found->end = line->at;
    return literal(line, "]") && port(line);
}

/* Whether no field whose name ends in one of these letters is in it. */
static int without(Text line, const char *letters)
{
    for (const char *at = line.at; (at = memchr(at, '=', (size_t)(line.end - at))); at++)
        if (at > line.at && strchr(letters, at[-1]) && at[-1]) return 0;
    return 1;
}

/* Up to a quote, without another or a backslash; also of no length. */
static int quoted(Text *line, const char *without)
{
    for (; line->at < line->end; line->at++) {
        if (*line->at == '"') return line->at++, 1;
        if (*line->at == '\\' || strchr(without, *line->at)) return 0;
    }
    return 0;
}

/* X= and CV=, and the subject behind them; both may be of no length. */
static int tls(Text *line, Text *session, Text *dn)
{
    session->at = session->end = dn->at = dn->end = line->at;
    if (!literal(line, " X=")) return 1;
    if (!span(line, SESSION)) return 0;
    literal(line, "*");
    if (!maybe(line, " CV=", WORD, "")) return 0;
    session->end = line->at;
    if (!literal(line, " DN=\"")) return 1;
    dn->at = line->at;
    if (!quoted(line, "")) return 0;
    dn->end = line->at - 1;
    return without(*dn, "PRX");
}

static int contains(Text line, const char *words)
{
    return memmem(line.at, (size_t)(line.end - line.at), words, strlen(words)) != NULL;
}

static int names_session(Text line)
{
    for (const char *at = line.at; (at = memchr(at, 'X', (size_t)(line.end - at))); at++)
        if (at > line.at && at[-1] == ' ' && at + 1 < line.end && at[1] == '=') return 1;
    return 0;
}

static int stamp(Text *line)
{
    for (const char *like = "0000-00-00 00:00:00"; *like; like++, line->at++)
        if (line->at == line->end || (*like == '0' ? !is(*line->at, DIGIT) : *line->at != *like))
            return 0;
    if (!maybe(line, ".", DIGIT, "")) return 0;
    if (literal(line, " +") || literal(line, " -")) {
        if (span(line, DIGIT) != 4) return 0;
    }
    return maybe(line, " [", DIGIT, "]") && literal(line, " ");
}

static int identity(Text *line, Text *found)
{
    size_t size;
    found->at = line->at;
    if (span(line, WORD) != 6 || !literal(line, "-")) return 0;
    size = span(line, WORD);
    if ((size != 6 && size != 11) || !literal(line, "-")) return 0;
    if (span(line, WORD) != (size == 6 ? 2u : 4u)) return 0;
    found->end = line->at;
    return literal(line, " ");
}

/* An arrival, behind its mark: the other side, and P= to A=. */
static int arrived(Text *line, Text *peer, Text *by)
{
    int safe;
    Text session, dn;
    if (!span(line, UNQUOTED)) return 0;
    literal(line, " DS");
    if (!literal(line, " H=")) return 0;
    if (span(line, NAME) && !literal(line, " ")) return 0;
    if (literal(line, "(")) {
        span(line, HELO);
        if (!literal(line, ") ")) return 0;
    }
    if (!address(line, peer) || !interface(line) || !literal(line, " P=")) return 0;
    by->at = line->at;
    if (!span(line, PROTOCOL)) return 0;
    safe = line->at[-1] == 's' || (line->at[-1] == 'a' && line->at - by->at > 1 && line->at[-2] == 's');
    if (!safe && line->end - line->at >= 3 && !memcmp(line->at, " X=", 3)) return 0;
    if (!tls(line, &session, &dn) || !maybe(line, " A=", FULL, "")) return 0;
    by->end = line->at;
    literal(line, " K");
    if (!literal(line, " S=") || line->at == line->end || !is(*line->at++, DIGIT)) return 0;
    const char *quote = memchr(line->at, '"', (size_t)(line->end - line->at));
    if (quote) { /* only a subject has quotes, and only where nothing in it can be a field */
        Text before = {line->at, quote};
        if (quote - line->at < 3 || memcmp(quote - 3, " T=", 3) || !without(before, "PRX")) return 0;
        line->at = quote + 1;
        if (!quoted(line, "PX") || memchr(line->at, '"', (size_t)(line->end - line->at))) return 0;
    }
    return without(*line, "PRX");
}

/* What `went` has a copy by, and the way in it; without a host the name of one is NULL. */
typedef struct {
    Text by[2], way[4];
} Copy;

/* A delivery, behind its mark. */
static int sent(Text *line, Copy *copy)
{
    Text *domain = copy->way, *name = domain + 1, *peer = domain + 2, *by = copy->by;
    name->at = NULL;
    if (!span(line, LOCAL_PART)) return 0;
    int at = literal(line, "@");
    domain->at = line->at;
    if (at && !span(line, LOCAL_PART)) return 0;
    domain->end = line->at;
    for (int n = 0; n < 3; n++) {
        if (!literal(line, (const char *[]){" <", " F=<", " P=<"}[n])) continue;
        span(line, BARE);
        if (!literal(line, ">")) return 0;
    }
    if (!literal(line, " R=") || !span(line, FULL)) return 0;
    if (!literal(line, " T=")) return 0;
    by->at = line->at;
    if (!span(line, FULL)) return 0;
    by->end = line->at;
    if (!maybe(line, " ST=", FULL, "") || !maybe(line, " S=", DIGIT, "")) return 0;
    if (literal(line, " H=")) {
        name->at = line->at;
        if (!span(line, FULL)) return 0;
        literal(line, " DS");
        name->end = line->at;
        if (!literal(line, " ") || !address(line, peer)) return 0;
        literal(line, "*");
        if (!interface(line)) return 0;
        if (!tls(line, by + 1, domain + 3)) return 0;
    }
    if (line->at == line->end) return 1;
    for (int n = 0; n < 7; n++)
        if (literal(line, (const char *[]){" ST=", " S=", " H=", " I=", " X=", " CV=", " DN="}[n]))
            return 0;
    return literal(line, " ") && without(*line, "RX");
}

/* Where everything counts; see exim_lines.count. */
typedef struct {
    PyObject *begun, *came, *went, *ways, *copy, *other;
    Py_ssize_t known, named, kinds[KINDS];
} Count;

/* Texts with line ends between them. */
static PyObject *joined(const Text *texts, int count)
{
    Py_ssize_t size = count - 1;
    for (int n = 0; n < count; n++) size += texts[n].end - texts[n].at;
    PyObject *all = PyBytes_FromStringAndSize(NULL, size);
    if (!all) return NULL;
    char *to = PyBytes_AS_STRING(all);
    for (int n = 0; n < count; n++) {
        if (n) *to++ = '\n';
        memcpy(to, texts[n].at, (size_t)(texts[n].end - texts[n].at));
        to += texts[n].end - texts[n].at;
    }
    return all;
}

/* What a dict has of a key, or makes of it; takes the key. */
static PyObject *known(PyObject *dict, PyObject *key)
{
    if (!key) return NULL;
    PyObject *found = PyDict_GetItemWithError(dict, key);
    if (found)
        Py_INCREF(found);
    else if (!PyErr_Occurred())
        found = PyObject_GetItem(dict, key); /* its __missing__ */
    Py_DECREF(key);
    return found;
}

static int once_more(PyObject *seen)
{
    PyObject *count = PyObject_GetAttr(seen, word_count);
    if (!count) return -1;
    PyObject *more = PyNumber_Add(count, one);
    Py_DECREF(count);
    if (!more) return -1;
    int failed = PyObject_SetAttr(seen, word_count, more);
    Py_DECREF(more);
    return failed;
}

static int each_once_more(PyObject *counted)
{
    if (!PyTuple_Check(counted)) return PyErr_SetString(PyExc_TypeError, "no tuple"), -1;
    for (Py_ssize_t n = 0; n < PyTuple_GET_SIZE(counted); n++)
        if (once_more(PyTuple_GET_ITEM(counted, n))) return -1;
    return 0;
}

/* A mail that came in a way, from a host. */
static int from_host(PyObject *way, Text peer)
{
    if (!PyTuple_Check(way) || PyTuple_GET_SIZE(way) != 3 || !PyDict_Check(PyTuple_GET_ITEM(way, 2)))
        return PyErr_SetString(PyExc_TypeError, "no way that mails come"), -1;
    if (once_more(PyTuple_GET_ITEM(way, 0))) return -1;
    PyObject *host = known(PyTuple_GET_ITEM(way, 2), joined(&peer, 1));
    if (!host) return -1;
    int failed = PyTuple_Check(host) ? each_once_more(host)
                                     : once_more(PyTuple_GET_ITEM(way, 1)) || once_more(host);
    Py_DECREF(host);
    return failed ? -1 : 0;
}

static int arrival(PyObject *begun, PyObject *came, PyObject *id, Text peer, Text by)
{
    if (!PyDict_SetDefault(begun, id, nothing)) return -1;
    PyObject *way = known(came, joined(&by, 1));
    if (!way) return -1;
    int failed = from_host(way, peer);
    Py_DECREF(way);
    return failed;
}

/* A copy that went some way; none if that was to one's own host. */
static int copied(const Count *to, PyObject *id, PyObject *copies, PyObject *mail)
{
    if (mail == Py_None) return 0;
    if (!PyTuple_Check(mail) || PyTuple_GET_SIZE(mail) != 3)
        return PyErr_SetString(PyExc_TypeError, "no copy that was sent"), -1;
    PyObject *gone = PyDict_GetItemWithError(to->ways, PyTuple_GET_ITEM(mail, 2));
    if (!gone && !PyErr_Occurred()) PyErr_SetObject(PyExc_KeyError, PyTuple_GET_ITEM(mail, 2));
    if (!gone || once_more(copies) || once_more(gone)) return -1;
    PyObject *mails = PyDict_GetItemWithError(to->begun, id);
    if (!mails && PyErr_Occurred()) return -1;
    int first = mails && PyTuple_CheckExact(mails) && !PyTuple_GET_SIZE(mails), failed;
    PyObject *done = first ? PyTuple_Pack(1, mail)
                           : PyObject_CallFunctionObjArgs(to->copy, id, mail, NULL);
    failed = !done || (first && PyDict_SetItem(to->begun, id, done));
    Py_XDECREF(done);
    return failed ? -1 : 0;
}

static int delivery(const Count *to, PyObject *id, const Copy *copy)
{
    PyObject *by = known(to->went, joined(copy->by, 2)), *mail = NULL;
    int failed = 1;
    if (by && (!PyTuple_Check(by) || PyTuple_GET_SIZE(by) != 3 || !PyDict_Check(PyTuple_GET_ITEM(by, 2))))
        PyErr_SetString(PyExc_TypeError, "nothing that copies go by");
    else if (by && !once_more(PyTuple_GET_ITEM(by, 0))
             && (mail = known(PyTuple_GET_ITEM(by, 2), joined(copy->way, 4))))
        failed = copied(to, id, PyTuple_GET_ITEM(by, 1), mail);
    Py_XDECREF(mail);
    Py_XDECREF(by);
    return failed ? -1 : 0;
}

static int completed(PyObject *begun, PyObject *id)
{
    if (!PyDict_DelItem(begun, id)) return 0;
    if (!PyErr_ExceptionMatches(PyExc_KeyError)) return -1;
    PyErr_Clear();
    return 0;
}

/* The line of a message, behind its number: 1 counted, 0 not known, -1 an error. */
static int of_message(Text line, PyObject *id, Count *to)
{
    Text peer, words;
    Copy copy;
    if (literal(&line, "<= ")) {
        if (!arrived(&line, &peer, &words)) return 0;
        return arrival(to->begun, to->came, id, peer, words) ? -1 : 1;
    }
    if (literal(&line, "=> ") || literal(&line, "-> ")) {
        if (!sent(&line, &copy)) return 0;
        if (!copy.way[1].at) return to->kinds[LOCAL]++, 1;
        return delivery(to, id, &copy) ? -1 : 1;
    }
    if (literal(&line, "Completed")) {
        if (contains(line, "X")) return 0;
        to->kinds[COMPLETED]++;
        return completed(to->begun, id) ? -1 : 1;
    }
    if (literal(&line, "== ") || literal(&line, "** ")) {
        for (int n = 0; n < 4; n++)
            if (contains(line, (const char *[]){"X=", "TLS", "DANE ", "MTA-STS"}[n])) return 0;
        to->kinds[line.at[-2] == '=' ? DEFERRED : FAILED]++;
        return 1;
    }
    return 0;
}

static int counted_line(Text line, Count *to)
{
    Text number;
    if (!stamp(&line)) return 0;
    if (line.end - line.at >= 2 && !memcmp(line.at, "H=", 2)) {
        if (contains(line, "TLS error on ")) return 0;
        to->kinds[(contains(line, " rejected ") ? REJECTED : OTHER) + names_session(line)]++;
        return 1;
    }
    if (!identity(&line, &number)) return 0;
    PyObject *id = PyBytes_FromStringAndSize(number.at, number.end - number.at);
    if (!id) return -1;
    int done = of_message(line, id, to);
    Py_DECREF(id);
    return done;
}

static int counted_by_other(Text line, PyObject *other)
{
    PyObject *text = PyBytes_FromStringAndSize(line.at, line.end - line.at);
    PyObject *done = text ? PyObject_CallOneArg(other, text) : NULL;
    Py_XDECREF(text);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static PyObject *count(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    PyObject *block;
    Count to = {0};
    if (!PyArg_ParseTuple(arguments, "SO!O!O!O!OO:count", &block, &PyDict_Type, &to.begun,
                          &PyDict_Type, &to.came, &PyDict_Type, &to.went, &PyDict_Type, &to.ways,
                          &to.copy, &to.other))
        return NULL;
    Text all = {PyBytes_AS_STRING(block), PyBytes_AS_STRING(block) + PyBytes_GET_SIZE(block)};
    while (all.at < all.end) {
        Text line = {all.at, memchr(all.at, '\n', (size_t)(all.end - all.at))};
        if (!line.end) break;
        all.at = line.end + 1;
        to.named += names_session(line);
        int done = counted_line(line, &to);
        if (done < 0 || (!done && counted_by_other(line, to.other))) return NULL;
        to.known += done;
    }
    return Py_BuildValue("nn(nnnnnnnn)", to.known, to.named, to.kinds[0], to.kinds[1], to.kinds[2],
                         to.kinds[3], to.kinds[4], to.kinds[5], to.kinds[6], to.kinds[7]);
}

static PyObject *alike(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    PyObject *block;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(arguments, "Sn:alike", &block, &size)) return NULL;
    const char *first = PyBytes_AS_STRING(block), *end = first + PyBytes_GET_SIZE(block), *at = first;
    if (size > end - first) size = end - first;
    for (; at < end; at++) {
        if (end - at < size || memcmp(at, first, (size_t)size)) Py_RETURN_FALSE;
        if (!(at = memchr(at, '\n', (size_t)(end - at)))) break;
    }
    Py_RETURN_TRUE;
}

static void fill(int set, const char *members, int except)
{
    for (int byte = 0; byte < 256; byte++)
        if (!!memchr(members, byte, strlen(members)) != except) sets[byte] |= (unsigned short)set;
}

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define BLANKS " \t\n\r\f\v"

static PyMethodDef methods[] = {
    {"alike", alike, METH_VARARGS, "What exim_lines.alike does."},
    {"count", count, METH_VARARGS, "What exim_lines.count does."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "exim_native", "The lines of Exim's log that everybody writes.", -1, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_exim_native(void)
{
    fill(DIGIT, DIGITS, 0);
    fill(WORD, DIGITS LETTERS "_", 0);
    fill(PROTOCOL, DIGITS LETTERS "_-", 0);
    fill(SESSION, DIGITS LETTERS "_.:+-", 0);
    fill(ADDRESS, DIGITS "abcdefABCDEF.:", 0);
    fill(FULL, BLANKS, 1);
    fill(UNQUOTED, BLANKS "\"", 1);
    fill(BARE, BLANKS "\">", 1);
    fill(NAME, BLANKS "()[]=\"", 1);
    fill(HELO, BLANKS "()=\"", 1);
    fill(BRACKETED, BLANKS "]", 1);
    fill(LOCAL_PART, BLANKS "\"@", 1);
    word_count = PyUnicode_InternFromString("count");
    one = PyLong_FromLong(1);
    nothing = PyTuple_New(0);
    return word_count && one && nothing ? PyModule_Create(&module) : NULL;
}
