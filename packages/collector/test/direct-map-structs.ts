/**
 * Structs in the shape of the kernel's, as far as the program reads them: with them bpftrace checks a
 * program where there is no BTF. What it cannot show is whether a kernel has these members.
 */
export const STRUCTS = `
struct hlist_node { struct hlist_node *next; struct hlist_node **pprev; };
struct mmu_notifier { struct hlist_node hlist; void *ops; };
struct task_struct { int tgid; };
struct mm_struct { struct task_struct *owner; void *notifier_subscriptions; };
struct mmu_notifier_range { struct mm_struct *mm; unsigned long start; unsigned long end; unsigned int flags; int event; };
struct vhost_uaddr { unsigned long uaddr; unsigned long size; char write; };
struct vhost_vring_call { void *ctx; };
struct vhost_virtqueue;
struct vhost_dev {
  struct mm_struct *mm;
  struct mmu_notifier mmu_notifier;
  struct vhost_virtqueue **vqs;
  int nvqs;
  void *iotlb;
};
struct vhost_virtqueue {
  struct vhost_dev *dev;
  unsigned int num;
  void *desc;
  void *avail;
  void *used;
  void *maps[3];
  struct vhost_uaddr uaddrs[3];
  struct vhost_vring_call call_ctx;
  unsigned short last_avail_idx;
  unsigned short avail_idx;
  unsigned short last_used_idx;
  unsigned short used_flags;
  unsigned short signalled_used;
  char signalled_used_valid;
  void *private_data;
  unsigned long acked_features;
  void *iotlb;
  char log_used;
  unsigned int busyloop_timeout;
  int invalidate_count;
};
`;
