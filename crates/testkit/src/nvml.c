/* A stand-in for NVIDIA's library: answers from the file beside it, `<library>.gpus`, read anew at each question.
 *
 *   driver 570.86.15        or: driver gone (the driver was unloaded)
 *   gpu <id> <total> <used> <percent busy> <degrees> <name>
 *   lost                    the GPU named last fell off the bus
 *   process <pid> <bytes>   computes on the GPU named last
 *
 * Each start and end of its use adds a byte to `<library>.used`: `+`, `-`.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID = 2, SHORT = 7, DRIVER = 9, LOST = 15 };
enum { MOST = 8 };

struct process { unsigned pid; unsigned long long bytes; };
struct gpu {
    char id[96], name[96];
    unsigned long long total, used;
    unsigned busy, degrees, processes;
    int lost;
    struct process process[MOST];
};
static struct gpu gpus[MOST];
static unsigned count;
static char driver[64];

static void beside(char *path, size_t room, const char *ending) {
    Dl_info info;
    if (!dladdr((void *)beside, &info)) abort();
    snprintf(path, room, "%s%s", info.dli_fname, ending);
}

static void note(const char *what) {
    char path[4096];
    beside(path, sizeof path, ".used");
    FILE *file = fopen(path, "a");
    if (file) { fputs(what, file); fclose(file); }
}

static int look(void) {
    char path[4096], line[512];
    beside(path, sizeof path, ".gpus");
    FILE *file = fopen(path, "r");
    count = 0;
    memset(gpus, 0, sizeof gpus);
    if (!file) return DRIVER;
    while (fgets(line, sizeof line, file)) {
        struct gpu *gpu = &gpus[count ? count - 1 : 0];
        line[strcspn(line, "\n")] = 0;
        if (sscanf(line, "driver %63[^\n]", driver) == 1) continue;
        if (!strcmp(line, "lost")) { gpu->lost = 1; continue; }
        struct gpu *next = &gpus[count];
        if (count < MOST && sscanf(line, "gpu %95s %llu %llu %u %u %95[^\n]", next->id, &next->total, &next->used,
                                   &next->busy, &next->degrees, next->name) == 6) { count++; continue; }
        struct process *process = &gpu->process[gpu->processes % MOST];
        if (sscanf(line, "process %u %llu", &process->pid, &process->bytes) == 2) gpu->processes++;
    }
    fclose(file);
    return strcmp(driver, "gone") ? SUCCESS : DRIVER;
}

static int of(void *device, struct gpu **gpu) {
    unsigned index = (unsigned)(size_t)device - 1;
    int told = look();
    if (told) return told;
    if (index >= count) return INVALID;
    *gpu = &gpus[index];
    return (*gpu)->lost ? LOST : SUCCESS;
}

#define ASK(device) struct gpu *gpu; int told = of(device, &gpu); if (told) return told

int nvmlInit_v2(void) { int told = look(); if (!told) note("+"); return told; }
int nvmlShutdown(void) { note("-"); return SUCCESS; }
int nvmlSystemGetDriverVersion(char *text, unsigned room) {
    int told = look();
    if (!told) snprintf(text, room, "%s", driver);
    return told;
}
int nvmlDeviceGetCount_v2(unsigned *n) { int told = look(); *n = count; return told; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
    int told = look();
    if (!told && index >= count) return INVALID;
    *device = (void *)(size_t)(index + 1);
    return told;
}
int nvmlDeviceGetUUID(void *device, char *text, unsigned room) { ASK(device); snprintf(text, room, "%s", gpu->id); return 0; }
int nvmlDeviceGetName(void *device, char *text, unsigned room) { ASK(device); snprintf(text, room, "%s", gpu->name); return 0; }
int nvmlDeviceGetTemperature(void *device, int sensor, unsigned *degrees) { ASK(device); *degrees = gpu->degrees; return sensor; }

struct memory { unsigned version; unsigned long long total, reserved, free, used; };
int nvmlDeviceGetMemoryInfo_v2(void *device, struct memory *memory) {
    ASK(device);
    memory->total = gpu->total;
    memory->used = gpu->used;
    memory->free = gpu->total - gpu->used;
    memory->reserved = 0;
    return SUCCESS;
}
struct rates { unsigned gpu, memory; };
int nvmlDeviceGetUtilizationRates(void *device, struct rates *rates) {
    ASK(device);
    rates->gpu = gpu->busy;
    rates->memory = 0;
    return SUCCESS;
}
struct info { unsigned pid; unsigned long long bytes; unsigned instance, compute; };
int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *n, struct info *info) {
    ASK(device);
    unsigned room = *n;
    *n = gpu->processes;
    if (room < gpu->processes || !info) return gpu->processes ? SHORT : SUCCESS;
    for (unsigned i = 0; i < gpu->processes; i++)
        info[i] = (struct info){gpu->process[i].pid, gpu->process[i].bytes, 0xFFFFFFFF, 0xFFFFFFFF};
    return SUCCESS;
}
