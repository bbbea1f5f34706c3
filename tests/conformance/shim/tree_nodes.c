/* The node cache of xarray, in place of lib/radix-tree.c: nodes come constructed, and go by RCU. */
#include <linux/xarray.h>

#include "kernel.h"
#include "radix-tree.h"

static struct kmem_cache node_cache = {sizeof(struct xa_node), "xa_node"};
struct kmem_cache* radix_tree_node_cachep = &node_cache;

void* shim_alloc_tree_node(void) {
    struct xa_node* node = kmem_cache_zalloc(&node_cache, GFP_KERNEL);
    node->private_list.next = node->private_list.prev = &node->private_list;
    return node;
}

void radix_tree_node_rcu_free(struct rcu_head* head) {
    kmem_cache_free(&node_cache, container_of(head, struct xa_node, rcu_head));
}
