package main

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/pager"
	watchtools "k8s.io/client-go/tools/watch"
	"k8s.io/client-go/util/retry"
)

// discovery is what kubectl, Helm and every operator do first.
func discovery(client kubernetes.Interface) {
	cached := memory.NewMemCacheClient(client.Discovery())
	mapper := restmapper.NewShortcutExpander(restmapper.NewDeferredDiscoveryRESTMapper(cached), cached, func(warning string) { panic(warning) })
	kind := got(mapper.KindFor(schema.GroupVersionResource{Resource: "deploy"}))
	mapping := got(mapper.RESTMapping(kind.GroupKind()))
	check(mapping.Resource.Resource == "deployments" && mapping.Resource.Version == "v1", "deploy is %v", mapping.Resource)
	preferred := 0
	for _, group := range got(cached.ServerPreferredResources()) {
		preferred += len(group.APIResources)
	}
	check(preferred > 50, "%d preferred resources", preferred)
	definitions := got(client.Discovery().OpenAPISchema()).GetDefinitions().GetAdditionalProperties()
	paths := got(client.Discovery().OpenAPIV3().Paths())
	check(len(definitions) > 500 && paths["apis/apps/v1"] != nil, "OpenAPI: %d definitions, %d paths", len(definitions), len(paths))
	proved("discovery, RESTMapper with short names, OpenAPI v2 and v3")
}

// counters has writers collide, then reads what they wrote in pages and from a watch that survives disconnection.
func counters(ctx context.Context, client kubernetes.Interface) {
	const writers = 5
	maps := client.CoreV1().ConfigMaps(namespace)
	made := got(maps.Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "counter-", Labels: map[string]string{"counter": ""}},
		Data:       map[string]string{"n": "0"},
	}, metav1.CreateOptions{}))
	watcher := got(watchtools.NewRetryWatcherWithContext(ctx, made.ResourceVersion, &cache.ListWatch{
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.FieldSelector = "metadata.name=" + made.Name
			return maps.Watch(ctx, options)
		},
	}))
	defer watcher.Stop()
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			must(retry.RetryOnConflict(retry.DefaultRetry, func() error {
				counter, err := maps.Get(ctx, made.Name, metav1.GetOptions{})
				if err != nil {
					return err
				}
				n, err := strconv.Atoi(counter.Data["n"])
				if err != nil {
					return err
				}
				counter.Data["n"] = strconv.Itoa(n + 1)
				_, err = maps.Update(ctx, counter, metav1.UpdateOptions{})
				return err
			}))
		})
	}
	group.Wait()
	for n := 1; n <= writers; n++ {
		event := <-watcher.ResultChan()
		check(event.Type == watch.Modified && event.Object.(*corev1.ConfigMap).Data["n"] == strconv.Itoa(n), "event %v", event)
	}
	proved("retry on conflict by several writers, all seen in order by a retrying watch")

	for i := range 5 {
		got(maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("page-", i)}}, metav1.CreateOptions{}))
	}
	seen := 0
	pages := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		return maps.List(ctx, options)
	})
	pages.PageSize = 2
	must(pages.EachListItem(ctx, metav1.ListOptions{}, func(runtime.Object) error { seen++; return nil }))
	check(seen >= 6, "%d items in pages", seen)
	proved("list in pages")
}

func token(ctx context.Context, config *rest.Config, client kubernetes.Interface, pod string) {
	owner := got(client.CoreV1().Pods(namespace).Get(ctx, pod, metav1.GetOptions{}))
	minutes := int64(600)
	request := got(client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, "default", &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{
			ExpirationSeconds: &minutes,
			BoundObjectRef:    &authenticationv1.BoundObjectReference{Kind: "Pod", APIVersion: "v1", Name: pod, UID: owner.UID},
		},
	}, metav1.CreateOptions{}))
	review := got(client.AuthenticationV1().TokenReviews().Create(ctx, &authenticationv1.TokenReview{
		Spec: authenticationv1.TokenReviewSpec{Token: request.Status.Token},
	}, metav1.CreateOptions{}))
	user := review.Status.User
	check(user.Username == "system:serviceaccount:"+namespace+":default", "the token is of %v: %s", user, review.Status.Error)
	check(user.Extra["authentication.kubernetes.io/pod-name"][0] == pod, "the token is bound to %v", user.Extra)

	anonymous := rest.AnonymousClientConfig(config)
	anonymous.BearerToken = request.Status.Token
	account := got(kubernetes.NewForConfig(anonymous))
	_, err := account.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	check(apierrors.IsForbidden(err), "forbidden, not %v", err)
	access := got(account.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: "list", Resource: "pods"},
		},
	}, metav1.CreateOptions{}))
	check(!access.Status.Allowed, "access %v", access.Status)
	proved("a token bound to a Pod, its review, and what it may not do")
}
