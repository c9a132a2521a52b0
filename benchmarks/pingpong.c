/* The yardstick of every hop: DEALER-ROUTER ping-pong over ipc in C, as bare as libzmq allows.
 *
 * usage: pingpong MODE PINGER_CORE PONGER_CORE PEERS OPS BYTES REST_US FOLDER
 *   MODE  sequential: ping a peer, wait for its pong, then the next peer (as a clock ticks its actors)
 *         wave:       ping all peers, then wait for all pongs
 * Peers are forked processes, each with a ROUTER of its own under FOLDER; the pinger holds one DEALER a peer.
 * A core of -1 leaves the choice to the kernel. REST_US: how long the pinger sleeps between operations (0: not at all). Prints one JSON object: nanoseconds per peer and round trip.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* libzmq comes bundled in the pyzmq wheel, which has no header: the few calls used here, as zmq.h has them. */
void *zmq_ctx_new(void);
int zmq_ctx_term(void *);
void *zmq_socket(void *, int);
int zmq_close(void *);
int zmq_setsockopt(void *, int, const void *, size_t);
int zmq_bind(void *, const char *);
int zmq_connect(void *, const char *);
int zmq_send(void *, const void *, size_t, int);
int zmq_recv(void *, void *, size_t, int);
int zmq_errno(void);
const char *zmq_strerror(int);

enum { ZMQ_DEALER = 5, ZMQ_ROUTER = 6, ZMQ_LINGER = 17, ZMQ_RCVTIMEO = 27, ZMQ_SNDMORE = 2 };
enum { PEERS_MAX = 64, BYTES_MAX = 65536, IDENTITY_MAX = 256, WARM_OPS = 200, PATIENCE_MS = 10000 };

static void die(const char *what)
{
    fprintf(stderr, "pingpong: %s: %s\n", what, zmq_strerror(zmq_errno()));
    exit(1);
}

/* Before the context exists, so that libzmq's own I/O thread inherits the placement. */
static void pin(int core)
{
    cpu_set_t set;
    if (core < 0)
        return;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (sched_setaffinity(0, sizeof set, &set)) {
        perror("pingpong: sched_setaffinity");
        exit(1);
    }
}

static void *open_socket(void *context, int kind, int receive_timeout_ms)
{
    int linger = 0;
    void *socket = zmq_socket(context, kind);
    if (!socket)
        die("socket");
    if (zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger)
        || zmq_setsockopt(socket, ZMQ_RCVTIMEO, &receive_timeout_ms, sizeof receive_timeout_ms))
        die("setsockopt");
    return socket;
}

static void pong_for_ever(const char *address, int core)
{
    static char identity[IDENTITY_MAX], body[BYTES_MAX];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin(core);
    void *router = open_socket(zmq_ctx_new(), ZMQ_ROUTER, -1);
    if (zmq_bind(router, address))
        die(address);
    for (;;) {
        int identity_bytes = zmq_recv(router, identity, sizeof identity, 0);
        int body_bytes = zmq_recv(router, body, sizeof body, 0);
        if (identity_bytes < 0 || body_bytes < 0)
            die("pong receive");
        if (zmq_send(router, identity, identity_bytes, ZMQ_SNDMORE) < 0 || zmq_send(router, body, body_bytes, 0) < 0)
            die("pong send");
    }
}

static int64_t now_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static void ping(void *dealer, const char *body, int bytes)
{
    if (zmq_send(dealer, body, bytes, 0) != bytes)
        die("ping send");
}

static void await_pong(void *dealer, char *body, int bytes)
{
    if (zmq_recv(dealer, body, BYTES_MAX, 0) != bytes)
        die("ping receive");
}

/* One operation: one round trip to one peer (sequential), or to all of them at once (wave). */
static void run(void **dealers, int peers, int wave, int bytes, int ops, int rest_us, int64_t *took_ns)
{
    static char body[BYTES_MAX];
    struct timespec rest = {0, rest_us * 1000L};
    for (int op = 0; op < ops; op++) {
        if (rest_us)
            nanosleep(&rest, NULL);
        int64_t start_ns = now_ns();
        if (wave) {
            for (int peer = 0; peer < peers; peer++)
                ping(dealers[peer], body, bytes);
            for (int peer = 0; peer < peers; peer++)
                await_pong(dealers[peer], body, bytes);
            took_ns[op] = (now_ns() - start_ns) / peers;
        } else {
            ping(dealers[op % peers], body, bytes);
            await_pong(dealers[op % peers], body, bytes);
            took_ns[op] = now_ns() - start_ns;
        }
    }
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void print_percentiles(int64_t *took_ns, int ops)
{
    double sum = 0;
    for (int op = 0; op < ops; op++)
        sum += took_ns[op];
    qsort(took_ns, ops, sizeof *took_ns, by_size);
    printf("{\"ops\": %d, \"mean_ns\": %.0f, \"p10_ns\": %lld, \"p50_ns\": %lld, \"p90_ns\": %lld, \"p99_ns\": %lld}\n",
           ops, sum / ops, (long long)took_ns[ops / 10], (long long)took_ns[ops / 2],
           (long long)took_ns[ops * 9LL / 10], (long long)took_ns[ops * 99LL / 100]);
}

int main(int argc, char **argv)
{
    if (argc != 9) {
        fprintf(stderr, "usage: pingpong sequential|wave PINGER_CORE PONGER_CORE PEERS OPS BYTES REST_US FOLDER\n");
        return 2;
    }
    int wave = !strcmp(argv[1], "wave"), pinger_core = atoi(argv[2]), ponger_core = atoi(argv[3]);
    int peers = atoi(argv[4]), ops = atoi(argv[5]), bytes = atoi(argv[6]), rest_us = atoi(argv[7]);
    static char addresses[PEERS_MAX][256];
    static pid_t children[PEERS_MAX];
    static void *dealers[PEERS_MAX];
    if (peers < 1 || peers > PEERS_MAX || ops < 1 || bytes < 1 || bytes > BYTES_MAX || rest_us < 0 || rest_us > 999999) {
        fprintf(stderr, "pingpong: 1-%d peers, at least 1 operation, 1-%d bytes, rest below 1 s\n", PEERS_MAX, BYTES_MAX);
        return 2;
    }
    for (int peer = 0; peer < peers; peer++) {
        snprintf(addresses[peer], sizeof addresses[peer], "ipc://%s/pong%d", argv[8], peer);
        if ((children[peer] = fork()) == 0)
            pong_for_ever(addresses[peer], ponger_core);
    }
    pin(pinger_core);
    void *context = zmq_ctx_new();
    for (int peer = 0; peer < peers; peer++) {
        dealers[peer] = open_socket(context, ZMQ_DEALER, PATIENCE_MS);
        if (zmq_connect(dealers[peer], addresses[peer]))
            die(addresses[peer]);
    }
    int64_t *took_ns = malloc(sizeof *took_ns * (ops > WARM_OPS ? ops : WARM_OPS));
    run(dealers, peers, wave, bytes, WARM_OPS, 0, took_ns);
    run(dealers, peers, wave, bytes, ops, rest_us, took_ns);
    print_percentiles(took_ns, ops);
    for (int peer = 0; peer < peers; peer++) {
        zmq_close(dealers[peer]);
        kill(children[peer], SIGKILL);
        waitpid(children[peer], NULL, 0);
    }
    zmq_ctx_term(context);
    free(took_ns);
    return 0;
}
