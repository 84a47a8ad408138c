/* syslog_lines.run once more, compiled. A line is a range of bytes that everything here stops at the
   end of; nothing is written but Python's objects. */

#define PY_SSIZE_T_CLEAN
#define _GNU_SOURCE
#include <Python.h>
#include <string.h>

static const char NAMED[] = " with cipher ", BEGINS[] = ": message-id=", ENDS[] = ": removed";
enum { NEAR = 40 }; /* postfix._NEAR */

static PyObject *nothing, *other, *finished;

static const char *find(const char *at, const char *end, const char *words)
{
    return at < end ? memmem(at, (size_t)(end - at), words, strlen(words)) : NULL;
}

/* A line of who begins messages or ends them: its kind, borrowed; NULL: for others to say, or an
   error. */
static PyObject *queued(PyObject *ear, const char *at, const char *end)
{
    PyObject *begins = PyTuple_GET_ITEM(ear, 1), *ends = PyTuple_GET_ITEM(ear, 2), *name;
    const char *mark;
    if (begins != Py_None) {
        if (!(mark = find(at, end - at > NEAR ? at + NEAR : end, BEGINS))) return NULL;
        if (!(name = PyBytes_FromStringAndSize(at, mark - at))) return NULL;
        PyObject *done = PyDict_SetDefault(begins, name, nothing);
        Py_DECREF(name);
        return done ? other : NULL;
    }
    if (ends == Py_None) return NULL;
    if ((size_t)(end - at) < sizeof ENDS - 1) return other;
    mark = end - (sizeof ENDS - 1);
    if (memcmp(mark, ENDS, sizeof ENDS - 1) || memchr(at, ' ', (size_t)(mark - at))) return other;
    if (!(name = PyBytes_FromStringAndSize(at, mark - at))) return NULL;
    if (PyDict_DelItem(ends, name)) {
        if (!PyErr_ExceptionMatches(PyExc_KeyError)) return Py_DECREF(name), NULL;
        PyErr_Clear();
    }
    Py_DECREF(name);
    return finished;
}

/* Who takes a line, borrowed, and where its message begins; NULL: nobody knows yet, or an error. */
static PyObject *ear_of(PyObject *line, PyObject *stamp, Py_ssize_t writer, PyObject *known,
                        const char **text)
{
    const char *begin = PyBytes_AS_STRING(line), *end = begin + PyBytes_GET_SIZE(line);
    Py_ssize_t size = PyBytes_GET_SIZE(stamp);
    if (end - begin < size || end - begin < writer || memcmp(begin, PyBytes_AS_STRING(stamp), (size_t)size))
        return NULL;
    const char *mark = find(begin + writer, end, ": ");
    if (!mark) return NULL;
    PyObject *name = PyBytes_FromStringAndSize(begin + writer, mark - begin - writer);
    if (!name) return NULL;
    PyObject *ear = PyDict_GetItemWithError(known, name);
    Py_DECREF(name);
    *text = mark + 2;
    if (ear && (!PyTuple_Check(ear) || PyTuple_GET_SIZE(ear) != 3))
        return PyErr_SetString(PyExc_TypeError, "no ear"), NULL;
    return ear;
}

/* Where lines count; see syslog_lines.run. */
typedef struct {
    PyObject *day, *plain, *naming, *rare;
} Count;

static int is_kind(PyObject *kind, const char *words)
{
    return PyUnicode_Check(kind) && !PyUnicode_CompareWithASCIIString(kind, words);
}

/* What whoever takes the line says of it. */
static PyObject *heard(PyObject *line, PyObject *ear, const char *text, const Count *to)
{
    const char *begin = PyBytes_AS_STRING(line);
    PyObject *kind = queued(ear, text, begin + PyBytes_GET_SIZE(line));
    if (kind) return Py_NewRef(kind);
    PyObject *start = PyErr_Occurred() ? NULL : PyLong_FromSsize_t(text - begin);
    if (!start) return NULL;
    kind = PyObject_CallFunctionObjArgs(PyTuple_GET_ITEM(ear, 0), line, start, to->day, NULL);
    Py_DECREF(start);
    return kind;
}

static int counted(PyObject *line, PyObject *ear, const char *text, const Count *to)
{
    const char *begin = PyBytes_AS_STRING(line);
    int named = find(begin, begin + PyBytes_GET_SIZE(line), NAMED) != NULL, failed = 0;
    PyObject *kind = heard(line, ear, text, to);
    if (!kind) return -1;
    if (named && is_kind(kind, "session")) {
        failed = PyList_Append(to->naming, kind);
    } else if (named || is_kind(kind, "ambiguous")) {
        PyObject *hear = PyTuple_GET_ITEM(ear, 0);
        PyObject *done = PyObject_CallFunctionObjArgs(to->rare, line, kind, hear, NULL);
        failed = !done;
        Py_XDECREF(done);
    } else if (kind != Py_None) {
        failed = PyList_Append(to->plain, kind);
    }
    Py_DECREF(kind);
    return failed ? -1 : 0;
}

static PyObject *run(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    PyObject *lines, *stamp, *known;
    Py_ssize_t at, writer;
    Count to;
    if (!PyArg_ParseTuple(arguments, "O!nSnO!SO!O!O:run", &PyList_Type, &lines, &at, &stamp, &writer,
                          &PyDict_Type, &known, &to.day, &PyList_Type, &to.plain, &PyList_Type,
                          &to.naming, &to.rare))
        return NULL;
    for (; at >= 0 && at < PyList_GET_SIZE(lines); at++) {
        PyObject *line = PyList_GET_ITEM(lines, at);
        const char *text = NULL;
        if (!PyBytes_Check(line)) return PyErr_SetString(PyExc_TypeError, "no line"), NULL;
        PyObject *ear = ear_of(line, stamp, writer, known, &text);
        if (!ear && PyErr_Occurred()) return NULL;
        if (!ear) break;
        Py_INCREF(line);
        Py_INCREF(ear);
        int failed = counted(line, ear, text, &to);
        Py_DECREF(ear);
        Py_DECREF(line);
        if (failed) return NULL;
    }
    return PyLong_FromSsize_t(at);
}

static PyMethodDef methods[] = {
    {"run", run, METH_VARARGS, "What syslog_lines.run does."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "syslog_native", "Lines of syslog, each to who understands it.", -1, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_syslog_native(void)
{
    nothing = PyTuple_New(0);
    other = PyUnicode_InternFromString("other");
    finished = PyUnicode_InternFromString("completed");
    return nothing && other && finished ? PyModule_Create(&module) : NULL;
}
