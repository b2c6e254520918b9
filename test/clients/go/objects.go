package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	corev1apply "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// record is what an informer saw of one object.
type record struct {
	sync.Mutex
	seen []string
}

func (r *record) add(event string, object any) {
	settings, is := object.(*corev1.ConfigMap)
	if !is || settings.Name != "settings" {
		return
	}
	r.Lock()
	defer r.Unlock()
	r.seen = append(r.seen, event+" "+settings.Data["mode"])
}

func (r *record) text() string {
	r.Lock()
	defer r.Unlock()
	return fmt.Sprint(r.seen)
}

func configMaps(ctx context.Context, client kubernetes.Interface) {
	maps := client.CoreV1().ConfigMaps(namespace)
	var seen record
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	informer := factory.Core().V1().ConfigMaps().Informer()
	got(informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { seen.add("added", object) },
		UpdateFunc: func(_, object any) { seen.add("updated", object) },
		DeleteFunc: func(object any) { seen.add("deleted", object) },
	}))
	watching, stop := context.WithCancel(ctx)
	defer stop()
	factory.Start(watching.Done())
	check(cache.WaitForCacheSync(ctx.Done(), informer.HasSynced), "the informer did not sync")

	made := got(maps.Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "settings", Labels: labels},
		Data:       map[string]string{"mode": "first"},
	}, metav1.CreateOptions{}))
	check(made.UID != "" && got(maps.Get(ctx, "settings", metav1.GetOptions{})).Data["mode"] == "first", "read")
	proved("create and read, as protobuf")
	check(len(got(maps.List(ctx, metav1.ListOptions{LabelSelector: "app=echo"})).Items) == 1, "list by label")
	proved("list by label")
	eventually("added", func() bool { return seen.text() == "[added first]" })

	for _, patch := range []struct {
		kind types.PatchType
		body string
		mode string
	}{
		{types.JSONPatchType, `[{"op":"replace","path":"/data/mode","value":"json"}]`, "json"},
		{types.MergePatchType, `{"data":{"mode":"merge"}}`, "merge"},
		{types.StrategicMergePatchType, `{"data":{"mode":"strategic"}}`, "strategic"},
	} {
		patched := got(maps.Patch(ctx, "settings", patch.kind, []byte(patch.body), metav1.PatchOptions{}))
		check(patched.Data["mode"] == patch.mode, "%s gave %v", patch.kind, patched.Data)
	}
	proved("JSON, merge and strategic merge patch")

	apply := corev1apply.ConfigMap("settings", namespace).WithData(map[string]string{"mode": "applied"})
	_, err := maps.Apply(ctx, apply, metav1.ApplyOptions{FieldManager: "go"})
	check(apierrors.IsConflict(err), "an apply conflict, not %v", err)
	got(maps.Apply(ctx, apply, metav1.ApplyOptions{FieldManager: "go", Force: true}))
	current := got(maps.Get(ctx, "settings", metav1.GetOptions{}))
	extracted := got(corev1apply.ExtractConfigMap(current, "go"))
	check(extracted.Data["mode"] == "applied", "extracted %v", extracted.Data)
	proved("server-side apply, its conflict, and extraction of what was applied")

	made.Data["mode"] = "stale"
	_, err = maps.Update(ctx, made, metav1.UpdateOptions{})
	check(apierrors.IsConflict(err), "a conflict, not %v", err)
	proved("conflict of a stale resourceVersion")
	_, err = maps.Get(ctx, "missing", metav1.GetOptions{})
	check(apierrors.IsNotFound(err), "not found, not %v", err)
	_, err = maps.Create(ctx, current.DeepCopy(), metav1.CreateOptions{})
	check(err != nil, "an object with a resourceVersion was created")
	_, err = maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "settings"}}, metav1.CreateOptions{})
	check(apierrors.IsAlreadyExists(err), "already exists, not %v", err)
	proved("not found, already exists")

	must(maps.Delete(ctx, "settings", metav1.DeleteOptions{}))
	eventually("all events: "+seen.text(), func() bool {
		return seen.text() == "[added first updated json updated merge updated strategic updated applied deleted applied]"
	})
	proved("informer by streaming list: added, updated, deleted")
}

// dynamicClient speaks JSON, whatever the configuration says; the metadata client asks for partial objects.
func dynamicClient(ctx context.Context, config *rest.Config) {
	client := got(dynamic.NewForConfig(config))
	services := schema.GroupVersionResource{Version: "v1", Resource: "services"}
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(client, 0, namespace, nil)
	lister := factory.ForResource(services)
	informer := lister.Informer()
	watching, stop := context.WithCancel(ctx)
	defer stop()
	factory.Start(watching.Done())
	check(cache.WaitForCacheSync(ctx.Done(), informer.HasSynced), "the informer did not sync")
	service := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1",
		"kind":       "Service",
		"metadata":   map[string]any{"name": "echo"},
		"spec":       map[string]any{"ports": []any{map[string]any{"port": int64(80)}}},
	}}
	made := got(client.Resource(services).Namespace(namespace).Create(ctx, service, metav1.CreateOptions{}))
	ip, _, err := unstructured.NestedString(made.Object, "spec", "clusterIP")
	check(err == nil && ip != "", "no clusterIP in %v", made.Object)
	eventually("the Service in the cache", func() bool {
		_, err := lister.Lister().ByNamespace(namespace).Get("echo")
		return err == nil
	})
	partial := got(got(metadata.NewForConfig(config)).Resource(services).Namespace(namespace).List(ctx, metav1.ListOptions{}))
	check(len(partial.Items) == 1 && partial.Items[0].Name == "echo", "partial metadata: %v", partial)
	proved("dynamic client and informer, metadata client")
}

// candidate runs for leader until it is stopped; `led` is closed when it leads.
func candidate(ctx context.Context, client kubernetes.Interface, identity string) (led chan struct{}, stop func()) {
	lock := got(resourcelock.New(resourcelock.LeasesResourceLock, namespace, "leader", client.CoreV1(), client.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: identity}))
	electing, release := context.WithCancel(ctx)
	led, stopped := make(chan struct{}), make(chan struct{})
	go leaderelection.RunOrDie(electing, leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: time.Second, ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { close(led) },
			OnStoppedLeading: func() { close(stopped) },
		},
	})
	return led, func() { release(); <-stopped }
}

func leaderElection(ctx context.Context, client kubernetes.Interface) {
	leads := func(led chan struct{}) {
		select {
		case <-led:
		case <-time.After(20 * time.Second):
			panic("nobody leads")
		}
	}
	first, stopFirst := candidate(ctx, client, "go-1")
	leads(first)
	second, stopSecond := candidate(ctx, client, "go-2")
	stopFirst()
	leads(second)
	lease := got(client.CoordinationV1().Leases(namespace).Get(ctx, "leader", metav1.GetOptions{}))
	check(*lease.Spec.HolderIdentity == "go-2" && *lease.Spec.LeaseTransitions == 1, "the lease passed on: %v", lease.Spec)
	stopSecond()
	proved("leader election: one leads, releases, the other takes over")
}

func deployment(ctx context.Context, client kubernetes.Interface) (pod string) {
	deployments := client.AppsV1().Deployments(namespace)
	replicas := int32(1)
	got(deployments.Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "echo", Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{
					{Name: "echo", Image: "echo", Ports: []corev1.ContainerPort{{ContainerPort: 8080}}},
				}},
			},
		},
	}, metav1.CreateOptions{}))
	available := func(count int32) {
		eventually(fmt.Sprintf("%d available", count), func() bool {
			return got(deployments.Get(ctx, "echo", metav1.GetOptions{})).Status.AvailableReplicas == count
		})
	}
	available(1)
	proved("a Deployment becomes available")
	scale := got(deployments.GetScale(ctx, "echo", metav1.GetOptions{}))
	check(scale.Spec.Replicas == 1 && scale.Status.Selector == "app=echo", "scale %v", scale)
	scale.Spec.Replicas = 2
	got(deployments.UpdateScale(ctx, "echo", scale, metav1.UpdateOptions{}))
	available(2)
	proved("scale")
	pods := client.CoreV1().Pods(namespace)
	found := got(pods.List(ctx, metav1.ListOptions{LabelSelector: "app=echo"})).Items[0]
	patch := `{"status":{"conditions":[{"type":"example.com/checked","status":"True"}]}}`
	patched := got(pods.Patch(ctx, found.Name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}, "status"))
	check(len(patched.Status.Conditions) == len(found.Status.Conditions)+1, "conditions %v", patched.Status.Conditions)
	proved("status subresource")
	return found.Name
}
