/*
 * pop3load: collects mail over many sessions at once and says what became of it.
 *
 *     pop3load --to 127.x.y.z:995 --tls implicit --user poll%ld@load.example --users 50 --password P
 *              --sessions 50 --total 2000 [--retr N] [--window W]
 *
 * Each of --sessions logs in as one of --users (its own number modulo that), asks STAT, reads the first N
 * messages, says QUIT, and begins anew until --total sessions are done. At most W RETR are under way at a time.
 * A message counts when it is as long as its reply said. stdout: one line of JSON; times in seconds on the
 * machine's monotonic clock, latencies in milliseconds: "session" from connect to the reply to QUIT.
 */
#include "common.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

enum { INPUT = 65536, REPLY_SECONDS = 30 };

enum step { CONNECTING, SHAKING, GREETING, STLS, USER, PASS, STAT, RETR, QUIT, ENDED };
static const char *const step_name[] = {"connect", "tls", "greeting", "stls", "user",
                                        "pass",    "stat", "retr",    "quit", "ended"};

struct session {
    enum step step;
    int socket, wants_to_write;
    SSL *ssl;
    long user;
    long asked, got;          /* RETR commands sent, messages come whole */
    long announced, octets;   /* of the message under way; announced is -1 between messages */
    int at_line_start;
    double began;
    char input[INPUT];
    size_t have, at;
    char out[4096];
    size_t out_length;
};

static struct sockaddr_in target;
static enum { TLS_OFF, TLS_STLS, TLS_IMPLICIT } tls;
static long sessions = 10, total = 100, users = 1, retr, window = 1;
static const char *user_name = "u%ld", *password = "";
static long started, done, broken, messages, alive;
static unsigned long octets;
static double *session_ms, began, ended;
static int poller;
static SSL_CTX *context;

static void advance(struct session *session);

static void watch(struct session *session, int operation)
{
    struct epoll_event event = {.events = EPOLLIN | (session->wants_to_write ? EPOLLOUT : 0u), .data.ptr = session};
    if (epoll_ctl(poller, operation, session->socket, &event))
        fail("epoll: %s", strerror(errno));
}

static void want_write(struct session *session, int wanted)
{
    if (session->wants_to_write != wanted) {
        session->wants_to_write = wanted;
        watch(session, EPOLL_CTL_MOD);
    }
}

static void open_session(struct session *session)
{
    started++;
    alive++;
    session->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (session->socket < 0)
        fail("socket: %s", strerror(errno));
    int on = 1;
    setsockopt(session->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    session->step = CONNECTING;
    session->began = seconds_now();
    session->have = session->at = session->out_length = 0;
    session->asked = session->got = 0;
    session->announced = -1;
    session->wants_to_write = 1;
    if (connect(session->socket, (struct sockaddr *)&target, sizeof target) && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    watch(session, EPOLL_CTL_ADD);
}

static void hang_up(struct session *session)
{
    if (session->ssl) {
        SSL_set_quiet_shutdown(session->ssl, 1);
        SSL_free(session->ssl);
        session->ssl = NULL;
    }
    close(session->socket);
    session->step = ENDED;
    alive--;
    if (started < total)
        open_session(session);
}

static void lose(struct session *session, const char *why)
{
    if (broken++ < 5)
        fprintf(stderr, "pop3load: %s at %s: %.*s\n", why, step_name[session->step],
                (int)(session->have - session->at > 100 ? 100 : session->have - session->at),
                session->input + session->at);
    hang_up(session);
}

/* 0 is all right; -1 when the connection is gone */
static int flush(struct session *session)
{
    while (session->out_length) {
        ssize_t sent;
        if (session->ssl) {
            ERR_clear_error();
            sent = SSL_write(session->ssl, session->out, (int)session->out_length);
            if (sent <= 0) {
                int error = SSL_get_error(session->ssl, (int)sent);
                if (error != SSL_ERROR_WANT_WRITE && error != SSL_ERROR_WANT_READ)
                    return -1;
                want_write(session, error == SSL_ERROR_WANT_WRITE);
                return 0;
            }
        } else if ((sent = send(session->socket, session->out, session->out_length, MSG_NOSIGNAL)) < 0) {
            if (errno != EAGAIN)
                return -1;
            want_write(session, 1);
            return 0;
        }
        session->out_length -= (size_t)sent;
        memmove(session->out, session->out + sent, session->out_length);
    }
    want_write(session, 0);
    return 0;
}

__attribute__((format(printf, 2, 3))) static void say(struct session *session, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    size_t space = sizeof session->out - session->out_length;
    int length = vsnprintf(session->out + session->out_length, space, format, values);
    va_end(values);
    if (length < 0 || (size_t)length >= space)
        fail("pop3load: a window of %ld is too wide", window);
    session->out_length += (size_t)length;
}

/* bytes read, 0 nothing there yet, -1 gone */
static int fill(struct session *session)
{
    if (session->at) {
        memmove(session->input, session->input + session->at, session->have - session->at);
        session->have -= session->at;
        session->at = 0;
    }
    size_t space = INPUT - session->have;
    if (!space)
        return -1;
    ssize_t got;
    if (session->ssl) {
        ERR_clear_error();
        got = SSL_read(session->ssl, session->input + session->have, (int)space);
        if (got <= 0) {
            int error = SSL_get_error(session->ssl, (int)got);
            return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
        }
    } else {
        got = recv(session->socket, session->input + session->have, space, 0);
        if (got <= 0)
            return got < 0 && errno == EAGAIN ? 0 : -1;
    }
    session->have += (size_t)got;
    return (int)got;
}

/* The next whole line without its end, NULL when there is none. */
static char *line(struct session *session)
{
    char *from = session->input + session->at, *end = memchr(from, '\n', session->have - session->at);
    if (!end)
        return NULL;
    session->at = (size_t)(end + 1 - session->input);
    *end = 0;
    return from;
}

static void begin_tls(struct session *session)
{
    session->ssl = SSL_new(context);
    SSL_set_fd(session->ssl, session->socket);
    SSL_set_connect_state(session->ssl);
    session->step = SHAKING;
    session->have = session->at = 0;
    advance(session);
}

static void ask_for_user(struct session *session)
{
    session->step = USER;
    say(session, "USER ");
    say(session, user_name, session->user); /* the format is checked in main */
    say(session, "\r\n");
}

static void ask_for_mail(struct session *session)
{
    while (session->asked < retr && session->asked - session->got < window)
        say(session, "RETR %ld\r\n", ++session->asked);
    if (session->got == retr) {
        session->step = QUIT;
        say(session, "QUIT\r\n");
    }
}

static void replied(struct session *session, const char *text)
{
    if (text[0] != '+') {
        session->at -= strlen(text) + 1;
        lose(session, "refused");
        return;
    }
    switch (session->step) {
    case GREETING:
        if (tls == TLS_STLS && !session->ssl) {
            session->step = STLS;
            say(session, "STLS\r\n");
        } else
            ask_for_user(session);
        break;
    case STLS: begin_tls(session); break;
    case USER:
        session->step = PASS;
        say(session, "PASS %s\r\n", password);
        break;
    case PASS:
        session->step = STAT;
        say(session, "STAT\r\n");
        break;
    case STAT:
        session->step = RETR;
        ask_for_mail(session);
        break;
    case RETR:
        session->announced = atol(text + 4);
        session->octets = 0;
        session->at_line_start = 1;
        break;
    case QUIT:
        ended = seconds_now();
        session_ms[done++] = (ended - session->began) * 1e3;
        hang_up(session);
        break;
    default: lose(session, "a reply to nothing");
    }
}

/* Takes what is there of a message; 1 when it has ended. */
static int body(struct session *session)
{
    for (char *end; session->at < session->have; session->at = (size_t)(end - session->input)) {
        char *from = session->input + session->at;
        size_t rest = session->have - session->at;
        if (session->at_line_start && *from == '.') {
            if (rest < 3)
                return 0;
            if (from[1] == '\r' && from[2] == '\n') {
                session->at += 3;
                return 1;
            }
            session->octets--; /* the dot that was put there */
        }
        end = memchr(from, '\n', rest);
        session->at_line_start = end != NULL;
        end = end ? end + 1 : from + rest;
        session->octets += end - from;
    }
    return 0;
}

static void shake(struct session *session)
{
    ERR_clear_error();
    int result = SSL_do_handshake(session->ssl);
    if (result == 1) {
        want_write(session, 0);
        if (tls == TLS_IMPLICIT)
            session->step = GREETING;
        else
            ask_for_user(session);
        return;
    }
    int error = SSL_get_error(session->ssl, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        want_write(session, error == SSL_ERROR_WANT_WRITE);
    else
        lose(session, "handshake failed");
}

/* 1 when something was taken out of the input. The session may have ended, or begun anew. */
static int take(struct session *session)
{
    if (session->step == RETR && session->announced >= 0) {
        if (!body(session))
            return 0;
        if (session->octets != session->announced) {
            lose(session, "a message is not as long as was said");
            return 1;
        }
        session->announced = -1;
        session->got++;
        messages++;
        octets += (unsigned long)session->octets;
        ask_for_mail(session);
        return 1;
    }
    char *text = line(session);
    if (text)
        replied(session, text);
    return text != NULL;
}

/* Whatever can be done for this session now is done. */
static void advance(struct session *session)
{
    if (session->step == CONNECTING) {
        int error = 0;
        socklen_t length = sizeof error;
        getsockopt(session->socket, SOL_SOCKET, SO_ERROR, &error, &length);
        if (error)
            fail("connect: %s", strerror(error));
        session->step = GREETING;
        want_write(session, 0);
        if (tls == TLS_IMPLICIT) {
            begin_tls(session);
            return;
        }
    }
    if (session->step == SHAKING) {
        shake(session);
        if (session->step == SHAKING)
            return;
    }
    while (session->step != ENDED && session->step != SHAKING && session->step != CONNECTING) {
        if (take(session))
            continue;
        if (flush(session) < 0) {
            lose(session, "cannot write");
            return;
        }
        int got = fill(session);
        if (got == 0)
            return;
        if (got < 0)
            lose(session, "the server closed");
    }
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void report(void)
{
    qsort(session_ms, (size_t)done, sizeof *session_ms, ascending);
    printf("{\"done\": %ld, \"broken\": %ld, \"messages\": %ld, \"octets\": %lu, \"seconds\": %.6f, "
           "\"session_ms\": {\"p50\": %.3f, \"p99\": %.3f}}\n",
           done, broken, messages, octets, ended - began, done ? session_ms[done / 2] : 0,
           done ? session_ms[done * 99 / 100] : 0);
}

static void drive(struct session *all)
{
    began = ended = seconds_now();
    for (long i = 0; i < sessions; i++) {
        all[i].user = i % users;
        open_session(&all[i]);
    }
    while (alive) {
        struct epoll_event events[512];
        int ready = epoll_wait(poller, events, 512, REPLY_SECONDS * 1000);
        if (ready == 0)
            fail("pop3load: no reply for %d seconds; %ld of %ld sessions done", REPLY_SECONDS, done, total);
        for (int i = 0; i < ready; i++)
            advance(events[i].data.ptr);
    }
}

static const char *format_of_one_number(const char *text)
{
    const char *percent = strchr(text, '%');
    if (percent && (strncmp(percent, "%ld", 3) || strchr(percent + 1, '%')))
        fail("%s: %%ld once stands for the number", text);
    return text;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"to", 1, 0, 't'},    {"tls", 1, 0, 'T'},      {"user", 1, 0, 'u'},
                                            {"users", 1, 0, 'U'}, {"password", 1, 0, 'p'}, {"sessions", 1, 0, 's'},
                                            {"total", 1, 0, 'n'}, {"retr", 1, 0, 'r'},     {"window", 1, 0, 'w'},
                                            {0, 0, 0, 0}};
    const char *where = NULL;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (option) {
        case 't': where = optarg; break;
        case 'T': tls = !strcmp(optarg, "stls") ? TLS_STLS : !strcmp(optarg, "implicit") ? TLS_IMPLICIT : TLS_OFF; break;
        case 'u': user_name = format_of_one_number(optarg); break;
        case 'U': users = number_of(optarg, 1, 1000000); break;
        case 'p': password = optarg; break;
        case 's': sessions = number_of(optarg, 1, 50000); break;
        case 'n': total = number_of(optarg, 1, 100000000); break;
        case 'r': retr = number_of(optarg, 0, 10000000); break;
        case 'w': window = number_of(optarg, 1, 200); break;
        default: fail("the head of bench/pop3load.c tells the options");
        }
    if (!where)
        fail("--to 127.x.y.z:port is missing");
    target = loopback(where);
    if (sessions > total)
        sessions = total;
    all_descriptors();
    signal(SIGPIPE, SIG_IGN);
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* every connection shakes hands in full */
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    poller = epoll_create1(EPOLL_CLOEXEC);
    session_ms = room((size_t)total, sizeof *session_ms);
    struct session *all = room((size_t)sessions, sizeof *all);
    drive(all);
    report();
    return 0;
}
