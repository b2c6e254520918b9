// An operator made with controller-runtime, run against Kubette: a line for each thing proved, exit code 1 at the first
// that fails. It keeps a Deployment for every ConfigMap with the label "site".
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

const (
	namespace = "controller-runtime"
	finalizer = "example.com/site"
)

// siteReconciler reads through the manager's cache and writes to the server.
type siteReconciler struct{ client.Client }

func (r *siteReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var site corev1.ConfigMap
	if err := r.Get(ctx, request.NamespacedName, &site); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !site.DeletionTimestamp.IsZero() {
		controllerutil.RemoveFinalizer(&site, finalizer)
		return ctrl.Result{}, client.IgnoreNotFound(r.Update(ctx, &site))
	}
	if controllerutil.AddFinalizer(&site, finalizer) {
		if err := r.Update(ctx, &site); err != nil {
			return ctrl.Result{}, err
		}
	}
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: site.Name, Namespace: site.Namespace}}
	_, err := controllerutil.CreateOrUpdate(ctx, r.Client, deployment, func() error {
		labels := map[string]string{"site": site.Name}
		deployment.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
		deployment.Spec.Template.Labels = labels
		deployment.Spec.Template.Spec.Containers = []corev1.Container{{Name: "site", Image: site.Data["image"]}}
		return controllerutil.SetControllerReference(&site, deployment, r.Scheme())
	})
	if err != nil {
		return ctrl.Result{}, err
	}
	if available := fmt.Sprint(deployment.Status.AvailableReplicas); site.Data["available"] != available {
		before := site.DeepCopy()
		site.Data["available"] = available
		return ctrl.Result{}, r.Patch(ctx, &site, client.MergeFrom(before))
	}
	return ctrl.Result{}, nil
}

func newManager(config *rest.Config) ctrl.Manager {
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Cache:                         cache.Options{DefaultNamespaces: map[string]cache.Config{namespace: {}}},
		Metrics:                       server.Options{BindAddress: "0"},
		LeaderElection:                true,
		LeaderElectionID:              "sites.example.com",
		LeaderElectionNamespace:       namespace,
		LeaderElectionReleaseOnCancel: true,
	})
	must(err)
	labelled, err := predicate.LabelSelectorPredicate(metav1.LabelSelector{
		MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "site", Operator: metav1.LabelSelectorOpExists}},
	})
	must(err)
	must(ctrl.NewControllerManagedBy(manager).
		For(&corev1.ConfigMap{}, builder.WithPredicates(labelled)).
		Owns(&appsv1.Deployment{}).
		Complete(&siteReconciler{manager.GetClient()}))
	return manager
}

// drive plays the user of the operator; `direct` does not read from a cache.
func drive(ctx context.Context, direct client.Client) {
	site := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: namespace, Labels: map[string]string{"site": ""}},
		Data:       map[string]string{"image": "echo"},
	}
	must(direct.Create(ctx, site))
	key := client.ObjectKeyFromObject(site)
	reaches := func(what string, holds func() (bool, error)) {
		must(wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) { return holds() }))
		fmt.Println("ok", what)
	}
	reaches("the reconciler makes a Deployment and follows it until it is available", func() (bool, error) {
		err := direct.Get(ctx, key, site)
		return site.Data["available"] == "1", err
	})
	changed := site.DeepCopy()
	changed.Data["image"] = "nginx"
	must(direct.Patch(ctx, changed, client.MergeFrom(site)))
	var deployment appsv1.Deployment
	reaches("the reconciler rolls out a change", func() (bool, error) {
		err := direct.Get(ctx, key, &deployment)
		return deployment.Spec.Template.Spec.Containers[0].Image == "nginx", err
	})
	must(direct.Delete(ctx, &deployment, client.Preconditions{UID: &deployment.UID}))
	reaches("the reconciler puts back what is deleted", func() (bool, error) {
		var again appsv1.Deployment
		err := direct.Get(ctx, key, &again)
		return err == nil && again.UID != deployment.UID, client.IgnoreNotFound(err)
	})
	must(direct.Delete(ctx, site))
	reaches("a finalizer holds the owner until the reconciler lets go, then the Deployment follows it", func() (bool, error) {
		siteError, err := direct.Get(ctx, key, site), direct.Get(ctx, key, &deployment)
		return apierrors.IsNotFound(siteError) && apierrors.IsNotFound(err), nil
	})
}

func run(ctx context.Context) {
	config := ctrl.GetConfigOrDie()
	direct, err := client.New(config, client.Options{})
	must(err)
	home := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	must(direct.Create(ctx, home))
	manager := newManager(config)
	managing, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(managing) }()
	select {
	case <-manager.Elected():
		fmt.Println("ok a manager is elected")
	case err := <-ended:
		panic(fmt.Errorf("the manager ended: %w", err))
	}
	drive(ctx, direct)
	stop()
	must(<-ended)
	must(direct.Delete(ctx, home))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	defer func() {
		if failure := recover(); failure != nil {
			fmt.Fprintln(os.Stderr, failure)
			os.Exit(1)
		}
	}()
	log.SetLogger(zap.New(zap.UseDevMode(true)))
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	run(ctx)
}
