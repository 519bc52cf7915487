/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow/container.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "util/cleanup.h"

#define ID  "3f4ab0c7e1d95268b7a09c1df23e4567890abcdef0123456789abcdef0123456"
#define ID2 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define POD "0a1b2c3d_4e5f_6071_8293_a4b5c6d7e8f9"

static const struct {
	const char *what, *text;
	enum container_runtime runtime;
	const char *id; /* NULL: none */
} cases[] = {
	{"docker, v2, systemd", "0::/system.slice/docker-" ID ".scope\n", CONTAINER_DOCKER, ID},
	{"docker, v2, cgroupfs", "0::/docker/" ID "\n", CONTAINER_DOCKER, ID},
	{"docker, v1",
	 "12:pids:/docker/" ID "\n11:cpu,cpuacct:/docker/" ID "\n1:name=systemd:/docker/" ID "\n",
	 CONTAINER_DOCKER, ID},
	{"docker, hybrid: the unified hierarchy is empty",
	 "3:rdma:/\n2:memory:/docker/" ID "\n0::/system.slice/containerd.service\n",
	 CONTAINER_DOCKER, ID},
	{"docker in docker", "0::/docker/" ID "/docker/" ID2 "\n", CONTAINER_DOCKER, ID2},
	{"docker, rootless",
	 "0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" ID ".scope\n",
	 CONTAINER_DOCKER, ID},
	{"containerd in Kubernetes, systemd",
	 "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD
	 ".slice/cri-containerd-" ID ".scope\n",
	 CONTAINER_CONTAINERD, ID},
	{"containerd in Kubernetes, cgroupfs",
	 "5:memory:/kubepods/besteffort/pod0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9/" ID "\n",
	 CONTAINER_OTHER, ID},
	{"containerd with systemd's names for paths",
	 "0::/system.slice/containerd.service/kubepods-burstable-pod" POD
	 ".slice:cri-containerd:" ID "\n",
	 CONTAINER_CONTAINERD, ID},
	{"nerdctl", "0::/system.slice/nerdctl-" ID ".scope\n", CONTAINER_CONTAINERD, ID},
	{"ctr", "0::/default/" ID "\n", CONTAINER_OTHER, ID},
	{"ECS", "4:cpu:/ecs/0e1f2a3b4c5d6e7f/" ID "\n", CONTAINER_OTHER, ID},
	{"CRI-O",
	 "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" POD
	 ".slice/crio-" ID ".scope/container\n",
	 CONTAINER_CRIO, ID},
	{"CRI-O's monitor",
	 "0::/kubepods.slice/kubepods-pod" POD ".slice/crio-conmon-" ID ".scope\n", 0, NULL},
	{"podman", "0::/machine.slice/libpod-" ID ".scope/container\n", CONTAINER_PODMAN, ID},
	{"podman, rootless",
	 "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID
	 ".scope/container\n",
	 CONTAINER_PODMAN, ID},
	{"podman, cgroupfs", "0::/libpod_parent/libpod-" ID "\n", CONTAINER_PODMAN, ID},
	{"podman's monitor", "0::/machine.slice/libpod-conmon-" ID ".scope\n", 0, NULL},
	{"seen from another cgroup namespace", "0::/../../docker-" ID ".scope\n", CONTAINER_DOCKER,
	 ID},
	{"LXC", "0::/lxc.payload.web-1/system.slice/ssh.service\n", CONTAINER_LXC, "web-1"},
	{"LXC, v1", "7:cpuset:/lxc/web-1\n", CONTAINER_LXC, "web-1"},
	{"nspawn", "0::/machine.slice/systemd-nspawn@lab.service/payload\n", CONTAINER_NSPAWN,
	 "lab"},
	{"nspawn by machinectl", "0::/machine.slice/machine-my\\x2dlab.scope\n", CONTAINER_NSPAWN,
	 "my-lab"},
	{"a virtual machine", "0::/machine.slice/machine-qemu\\x2d1\\x2dwin.scope\n", 0, NULL},
	{"a service", "0::/system.slice/ollama.service\n", 0, NULL},
	{"a session", "0::/user.slice/user-1000.slice/session-3.scope\n", 0, NULL},
	{"a desktop's application",
	 "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-code-4242.scope\n", 0,
	 NULL},
	{"the root", "0::/\n", 0, NULL},
	{"a short id", "0::/docker/3f4ab0c7e1d9\n", 0, NULL},
	{"a long id", "0::/docker/" ID "0\n", 0, NULL},
	{"capital letters",
	 "0::/docker/3F4AB0C7E1D95268B7A09C1DF23E4567890ABCDEF0123456789ABCDEF0"
	 "123456\n",
	 0, NULL},
	{"controllers are no path", "3:" ID "\n", 0, NULL},
	{"nothing", "", 0, NULL},
};

static void knows_the_layouts_of_runtimes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct container_name name;
		bool found = container_from_cgroup(span_str(cases[i].text), &name);

		if (found != (cases[i].id != NULL))
			fail_msg("%s: %s", cases[i].what, found ? name.id : "not found");
		if (!found)
			continue;
		if (strcmp(name.id, cases[i].id) != 0 || name.runtime != cases[i].runtime)
			fail_msg("%s: runtime %d, %s", cases[i].what, (int)name.runtime, name.id);
	}
}

/* A text that ends early gives the right container or none, never a part of an id. */
static void cut_texts_give_no_part_of_an_id(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t len = strlen(cases[i].text);

		for (size_t n = 0; n < len; n++) {
			_cleanup_free_ char *copy = strndup(cases[i].text, n);
			struct container_name name;

			if (!container_from_cgroup(span_of(copy, n), &name) ||
			    name.runtime >= CONTAINER_LXC)
				continue;
			assert_true(strcmp(name.id, ID) == 0 || strcmp(name.id, ID2) == 0);
		}
	}
}

struct tree {
	char root[64];
};

static void put(const struct tree *tree, const char *place, const char *text)
{
	char path[512], command[600];
	FILE *to;

	snprintf(path, sizeof(path), "%s%s", tree->root, place);
	snprintf(command, sizeof(command), "mkdir -p \"$(dirname '%s')\"", path);
	assert_int_equal(system(command), 0);
	to = fopen(path, "w");
	assert_non_null(to);
	fputs(text, to);
	fclose(to);
}

static int set_up(void **state)
{
	static struct tree tree;

	strcpy(tree.root, "/tmp/gnomon-containers.XXXXXX");
	if (!mkdtemp(tree.root))
		return -1;
	*state = &tree;
	return 0;
}

static int tear_down(void **state)
{
	struct tree *tree = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", tree->root);
	return system(command);
}

static void expect(const struct tree *tree, enum container_runtime runtime, const char *image,
		   const char *pod_namespace, const char *pod)
{
	struct container_name name = {.runtime = runtime, .id = ID};
	struct containers *containers = containers_new(tree->root);
	struct container *c = containers_get(containers, &name);

	containers_describe(containers, c);
	if (image)
		assert_string_equal(c->image, image);
	else
		assert_null(c->image);
	if (pod) {
		assert_string_equal(c->pod, pod);
		assert_string_equal(c->pod_namespace, pod_namespace);
	} else {
		assert_null(c->pod);
		assert_null(c->pod_namespace);
	}
	containers_put(containers, c);
	containers_free(containers);
}

static void reads_docker(void **state)
{
	const struct tree *tree = *state;

	put(tree, "/var/lib/docker/containers/" ID "/config.v2.json",
	    "{\"ID\":\"" ID
	    "\",\"Config\":{\"Image\":\"ollama/ollama:0.5\",\"Env\":[\"KEY=secret\"],"
	    "\"Labels\":{\"io.kubernetes.pod.name\":\"web-0\","
	    "\"io.kubernetes.pod.namespace\":\"shop\"}},\"Name\":\"/brave_hopper\"}");
	expect(tree, CONTAINER_DOCKER, "ollama/ollama:0.5", "shop", "web-0");
	expect(tree, CONTAINER_PODMAN, NULL, NULL, NULL);
}

static void reads_containerd(void **state)
{
	const struct tree *tree = *state;

	put(tree, "/run/containerd/io.containerd.runtime.v2.task/k8s.io/" ID "/config.json",
	    "{\"ociVersion\":\"1.1.0\",\"annotations\":{"
	    "\"io.kubernetes.cri.container-type\":\"container\","
	    "\"io.kubernetes.cri.image-name\":\"quay.io/acme/agent:latest\","
	    "\"io.kubernetes.cri.sandbox-name\":\"agent-65747dc769-pjztg\","
	    "\"io.kubernetes.cri.sandbox-namespace\":\"research\"}}");
	expect(tree, CONTAINER_CONTAINERD, "quay.io/acme/agent:latest", "research",
	       "agent-65747dc769-pjztg");
	/* the path did not say whose it is */
	expect(tree, CONTAINER_OTHER, "quay.io/acme/agent:latest", "research",
	       "agent-65747dc769-pjztg");
}

static void reads_crio(void **state)
{
	const struct tree *tree = *state;

	put(tree, "/var/lib/containers/storage/overlay-containers/" ID "/userdata/config.json",
	    "{\"annotations\":{\"io.kubernetes.cri-o.ImageName\":\"registry.example/a:1\","
	    "\"io.kubernetes.pod.name\":\"a-0\",\"io.kubernetes.pod.namespace\":\"default\"}}");
	expect(tree, CONTAINER_CRIO, "registry.example/a:1", "default", "a-0");
}

static void reads_podman(void **state)
{
	const struct tree *tree = *state;

	put(tree, "/var/lib/containers/storage/overlay-containers/containers.json",
	    "[{\"id\":\"" ID2 "\",\"metadata\":\"{\\\"image-name\\\":\\\"other\\\"}\"},"
	    "{\"id\":\"" ID "\",\"names\":[\"x\"],\"metadata\":"
	    "\"{\\\"image-name\\\":\\\"docker.io/library/python:3.12\\\"}\"}]");
	expect(tree, CONTAINER_PODMAN, "docker.io/library/python:3.12", NULL, NULL);
}

static void survives_files_that_are_not_what_they_should_be(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"null",
		"[]",
		"3",
		"{\"Config\":3}",
		"{\"Config\":{\"Image\":{}}}",
		"{\"Config\":{\"Image\":\"\"}}",
		"{\"Config\":{\"Image\":\"a\\u0000b\"}}",
	};
	const struct tree *tree = *state;
	_cleanup_free_ char *deep = malloc(20001), *big = malloc(CONTAINER_IMAGE_MAX + 100);

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		put(tree, "/var/lib/docker/containers/" ID "/config.v2.json", texts[i]);
		expect(tree, CONTAINER_DOCKER, NULL, NULL, NULL);
	}
	memset(deep, '[', 20000);
	deep[20000] = '\0';
	put(tree, "/var/lib/docker/containers/" ID "/config.v2.json", deep);
	expect(tree, CONTAINER_DOCKER, NULL, NULL, NULL);
	/* a name that does not fit is not cut */
	snprintf(big, CONTAINER_IMAGE_MAX + 100, "{\"Config\":{\"Image\":\"%0*d\"}}",
		 CONTAINER_IMAGE_MAX, 7);
	put(tree, "/var/lib/docker/containers/" ID "/config.v2.json", big);
	expect(tree, CONTAINER_DOCKER, NULL, NULL, NULL);
}

static void reads_once_and_shares(void **state)
{
	const struct tree *tree = *state;
	struct container_name name = {.runtime = CONTAINER_DOCKER, .id = ID};
	struct containers *containers = containers_new(tree->root);
	struct container *a, *b;

	put(tree, "/var/lib/docker/containers/" ID "/config.v2.json",
	    "{\"Config\":{\"Image\":\"first\"}}");
	a = containers_get(containers, &name);
	assert_null(a->image);
	containers_describe(containers, a);
	put(tree, "/var/lib/docker/containers/" ID "/config.v2.json",
	    "{\"Config\":{\"Image\":\"second\"}}");
	b = containers_get(containers, &name);
	assert_ptr_equal(a, b);
	containers_describe(containers, b);
	assert_string_equal(b->image, "first");
	containers_put(containers, a);
	assert_string_equal(b->image, "first");
	containers_put(containers, b);
	containers_put(containers, NULL);
	/* forgotten with its last holder */
	a = containers_get(containers, &name);
	containers_describe(containers, a);
	assert_string_equal(a->image, "second");
	containers_put(containers, a);
	containers_free(containers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_layouts_of_runtimes),
		cmocka_unit_test(cut_texts_give_no_part_of_an_id),
		cmocka_unit_test_setup_teardown(reads_docker, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reads_containerd, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reads_crio, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reads_podman, set_up, tear_down),
		cmocka_unit_test_setup_teardown(survives_files_that_are_not_what_they_should_be,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(reads_once_and_shares, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("container", tests, NULL, NULL);
}
