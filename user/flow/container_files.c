/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow/container_files.h"

#include <json-c/json.h>
#include <stdio.h>

#include "util/cleanup.h"
#include "util/diag.h"
#include "util/files.h"

static void cleanup_json(json_object **object)
{
	json_object_put(*object);
}

/* The first that is known counts. */
static void take(char *to, size_t cap, const json_object *object, const char *key)
{
	json_object *value;
	struct span text;

	if (to[0] || !json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return;
	text = span_of(json_object_get_string(value), (size_t)json_object_get_string_len(value));
	/* half a name would be another's */
	if (memchr(text.at, '\0', text.len) || !span_copy(to, cap, text))
		to[0] = '\0';
}

static json_object *member(const json_object *object, const char *key)
{
	json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, key, &value);
	return value;
}

/* Labels that the kubelet gives every container, whatever the runtime. */
static void take_kubelet(struct container_facts *facts, const json_object *labels)
{
	take(facts->pod_namespace, sizeof(facts->pod_namespace), labels,
	     "io.kubernetes.pod.namespace");
	take(facts->pod, sizeof(facts->pod), labels, "io.kubernetes.pod.name");
}

/* Docker's config.v2.json. */
static void read_docker(struct container_facts *facts, const json_object *root, const char *id)
{
	const json_object *config = member(root, "Config");

	(void)id;
	take(facts->image, sizeof(facts->image), config, "Image");
	take_kubelet(facts, member(config, "Labels"));
}

/* The OCI runtime's config.json, with the annotations of containerd's CRI plugin or of CRI-O. */
static void read_bundle(struct container_facts *facts, const json_object *root, const char *id)
{
	const json_object *annotations = member(root, "annotations");

	(void)id;
	take(facts->image, sizeof(facts->image), annotations, "io.kubernetes.cri.image-name");
	take(facts->image, sizeof(facts->image), annotations, "io.kubernetes.cri-o.ImageName");
	take(facts->pod_namespace, sizeof(facts->pod_namespace), annotations,
	     "io.kubernetes.cri.sandbox-namespace");
	take(facts->pod, sizeof(facts->pod), annotations, "io.kubernetes.cri.sandbox-name");
	take_kubelet(facts, annotations);
}

static json_object *parse(struct span text)
{
	json_tokener *tokener = json_tokener_new_ex(CONTAINER_FILE_DEPTH_MAX);
	json_object *object;

	if (!tokener)
		return NULL;
	object = json_tokener_parse_ex(tokener, text.at, (int)text.len);
	if (json_tokener_get_error(tokener) != json_tokener_success) {
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

/* Podman's list of all containers; each carries its own facts as JSON in a string. */
static void read_podman_list(struct container_facts *facts, const json_object *root, const char *id)
{
	size_t count = json_object_is_type(root, json_type_array) ? json_object_array_length(root)
								  : 0;

	for (size_t i = 0; i < count; i++) {
		const json_object *item = json_object_array_get_idx(root, i);
		_cleanup_(cleanup_json) json_object *metadata = NULL;
		json_object *own = member(item, "id"), *text = member(item, "metadata");

		if (!json_object_is_type(own, json_type_string) ||
		    strcmp(json_object_get_string(own), id) != 0 ||
		    !json_object_is_type(text, json_type_string))
			continue;
		metadata = parse(span_of(json_object_get_string(text),
					 (size_t)json_object_get_string_len(text)));
		take(facts->image, sizeof(facts->image), metadata, "image-name");
		return;
	}
}

#define BIT(runtime) (1u << (runtime))

/* Where the runtimes keep them. */
static const struct {
	unsigned int runtimes; /* bits: of whose containers */
	const char *place, *file;
	bool by_id; /* place/ID/file, else place/file */
	void (*read)(struct container_facts *facts, const json_object *root, const char *id);
} files[] = {
	{BIT(CONTAINER_DOCKER) | BIT(CONTAINER_OTHER), "/var/lib/docker/containers",
	 "config.v2.json", true, read_docker},
	{BIT(CONTAINER_CONTAINERD) | BIT(CONTAINER_OTHER),
	 "/run/containerd/io.containerd.runtime.v2.task/k8s.io", "config.json", true, read_bundle},
	{BIT(CONTAINER_CONTAINERD) | BIT(CONTAINER_OTHER),
	 "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io", "config.json", true,
	 read_bundle},
	{BIT(CONTAINER_CRIO) | BIT(CONTAINER_PODMAN) | BIT(CONTAINER_OTHER),
	 "/var/lib/containers/storage/overlay-containers", "userdata/config.json", true,
	 read_bundle},
	{BIT(CONTAINER_CRIO) | BIT(CONTAINER_OTHER), "/run/containers/storage/overlay-containers",
	 "userdata/config.json", true, read_bundle},
	{BIT(CONTAINER_PODMAN), "/var/lib/containers/storage/overlay-containers", "containers.json",
	 false, read_podman_list},
};

void container_files_read(const char *root, const struct container_name *name,
			  struct container_facts *facts)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_(cleanup_json) json_object *object = NULL;
		_cleanup_free_ char *path = NULL;
		struct file_text text;
		struct diag unused = {0};
		int r;

		if (!(files[i].runtimes & BIT(name->runtime)))
			continue;
		r = asprintf(&path, "%s%s/%s%s%s", root, files[i].place,
			     files[i].by_id ? name->id : "", files[i].by_id ? "/" : "",
			     files[i].file);
		if (r < 0) {
			path = NULL;
			return;
		}
		/* most of them are not there: that is no error */
		r = file_read(path, CONTAINER_FILE_BYTES_MAX, &text, &unused);
		diag_done(&unused);
		if (r < 0)
			continue;
		object = parse(span_of(text.at, text.len));
		free(text.at);
		if (object)
			files[i].read(facts, object, name->id);
	}
}
