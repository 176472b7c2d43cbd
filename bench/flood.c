/*
 * flood: opens and drops connections at a steady rate, from many addresses of this machine.
 *
 *     flood --to 127.x.y.z:25 --from 127.200.0.0 --sources 1000 --rate 20000 --seconds 5 [--open 2000]
 *
 * Source number n is the n-th address after --from. Of at most --open connections the oldest is dropped (by RST)
 * for each new one. stdout: one line of JSON: "attempted", "rate" a second, how many of them were "answered" with
 * at least a byte, "closed" by the other side without one, only "accepted", and "unanswered" by its kernel.
 * Nothing outside 127.0.0.0/8 is loaded, at most 30,000 a second for 60 seconds.
 */
#include "common.h"



static struct sockaddr_in target;
static uint32_t first_source;
static long sources = 1000, rate = 20000, open_at_most = 2000;
static double lasts = 5;
static long attempted, answered, closed, accepted, unanswered, failed;

static int knock(long number)
{
    int one = 1;
    int end = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (end < 0)
        return -1;
    struct sockaddr_in source = {.sin_family = AF_INET};
    source.sin_addr.s_addr = htonl(first_source + (uint32_t)(number % sources));
    setsockopt(end, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(end, (struct sockaddr *)&source, sizeof source) ||
        (connect(end, (struct sockaddr *)&target, sizeof target) && errno != EINPROGRESS)) {
        close(end);
        return -1;
    }
    return end;
}

static void drop(int end)
{
    char byte;
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    ssize_t got = recv(end, &byte, 1, MSG_DONTWAIT);
    if (got > 0)
        answered++;
    else if (got == 0 || errno == ECONNRESET || errno == EPIPE)
        closed++;
    else if (errno == ENOTCONN || errno == ECONNREFUSED)
        unanswered++;
    else {
        struct sockaddr_in peer;
        socklen_t length = sizeof peer;
        if (getpeername(end, (struct sockaddr *)&peer, &length))
            unanswered++;
        else
            accepted++;
    }
    setsockopt(end, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(end);
}

static void run(void)
{
    int *open_now = room((size_t)open_at_most, sizeof *open_now);
    double began = seconds_now();
    for (long at = 0; at < open_at_most; at++)
        open_now[at] = -1;
    for (double now = began; now - began < lasts; now = seconds_now()) {
        long due = (long)((now - began) * (double)rate) - attempted;
        if (due <= 0) {
            struct timespec rest = {.tv_nsec = 500000};
            nanosleep(&rest, NULL);
            continue;
        }
        for (long one = 0; one < due && one < 200; one++) {
            int *place = &open_now[attempted % open_at_most];
            if (*place >= 0)
                drop(*place);
            *place = knock(attempted);
            if (*place < 0)
                failed++;
            attempted++;
        }
    }
    double took = seconds_now() - began;
    for (long at = 0; at < open_at_most; at++)
        if (open_now[at] >= 0)
            drop(open_now[at]);
    printf("{\"attempted\": %ld, \"rate\": %.0f, \"answered\": %ld, \"closed\": %ld, \"accepted\": %ld, "
           "\"unanswered\": %ld, \"failed\": %ld}\n",
           attempted, (double)attempted / took, answered, closed, accepted, unanswered, failed);
}

int main(int count, char **arguments)
{
    static const struct option options[] = {
        {"to", required_argument, 0, 't'},      {"from", required_argument, 0, 'f'},
        {"sources", required_argument, 0, 's'}, {"rate", required_argument, 0, 'r'},
        {"seconds", required_argument, 0, 'd'}, {"open", required_argument, 0, 'o'},
        {0, 0, 0, 0},
    };
    char text[80];
    for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        switch (option) {
        case 't': target = loopback(optarg); break;
        case 'f':
            snprintf(text, sizeof text, "%s:1", optarg);
            first_source = ntohl(loopback(text).sin_addr.s_addr);
            break;
        case 's': sources = atol(optarg); break;
        case 'r': rate = atol(optarg); break;
        case 'd': lasts = atof(optarg); break;
        case 'o': open_at_most = atol(optarg); break;
        default: fail("see the head of flood.c");
        }
    }
    if (!target.sin_port || !first_source || sources < 1 || sources > 60000 || rate < 1 || rate > 30000 ||
        lasts <= 0 || lasts > 60 || open_at_most < 1 || open_at_most > 10000)
        fail("see the head of flood.c");
    run();
    return 0;
}
