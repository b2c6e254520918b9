// An operator with a kind of its own, run against Kubette: its definition is generated from Go types (two versions, rules in
// CEL, status and scale), and both webhooks and the conversion are served by this process. A line for each thing proved, exit
// code 1 at the first that fails.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/yaml"

	v1 "kubette.example/custom-resources/api/v1"
	"kubette.example/custom-resources/api/v1beta1"
)

const (
	namespace = "custom-resources"
	finalizer = "sites.example.com/let-go"
)

//go:embed config/crd/sites.example.com_sites.yaml
var definitionYaml []byte

type siteReconciler struct{ client.Client }

func (r *siteReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var site v1.Site
	if err := r.Get(ctx, request.NamespacedName, &site); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !site.DeletionTimestamp.IsZero() {
		controllerutil.RemoveFinalizer(&site, finalizer)
		return ctrl.Result{}, client.IgnoreNotFound(r.Update(ctx, &site))
	}
	if controllerutil.AddFinalizer(&site, finalizer) {
		return ctrl.Result{}, r.Update(ctx, &site)
	}
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: site.Name, Namespace: site.Namespace}}
	if _, err := controllerutil.CreateOrUpdate(ctx, r.Client, deployment, func() error {
		labels := map[string]string{"site": site.Name}
		deployment.Spec.Replicas = &site.Spec.Replicas
		deployment.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
		deployment.Spec.Template.Labels = labels
		deployment.Spec.Template.Spec.Containers = []corev1.Container{{Name: "site", Image: site.Spec.Image}}
		return controllerutil.SetControllerReference(&site, deployment, r.Scheme())
	}); err != nil {
		return ctrl.Result{}, err
	}
	before := site.DeepCopy()
	site.Status.Replicas, site.Status.Selector = deployment.Status.AvailableReplicas, "site="+site.Name
	ready := metav1.Condition{Type: "Ready", Status: metav1.ConditionFalse, Reason: "Waiting", ObservedGeneration: site.Generation}
	if site.Status.Replicas == site.Spec.Replicas {
		ready.Status, ready.Reason = metav1.ConditionTrue, "Available"
	}
	meta.SetStatusCondition(&site.Status.Conditions, ready)
	return ctrl.Result{}, r.Status().Patch(ctx, &site, client.MergeFrom(before))
}

func reaches(ctx context.Context, what string, holds func() (bool, error)) {
	must(wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) { return holds() }))
	fmt.Println("ok", what)
}

func refused(err error, text, what string) {
	if err == nil || !strings.Contains(err.Error(), text) {
		panic(fmt.Errorf("%s: %v", what, err))
	}
	fmt.Println("ok", what)
}

// install defines the kind, with its conversion at this process, and waits until it is served.
func install(ctx context.Context, direct client.Client, base string, authority []byte) *apiextensionsv1.CustomResourceDefinition {
	definition := &apiextensionsv1.CustomResourceDefinition{}
	must(yaml.UnmarshalStrict(definitionYaml, definition))
	url := base + "/convert"
	definition.Spec.Conversion = &apiextensionsv1.CustomResourceConversion{
		Strategy: apiextensionsv1.WebhookConverter,
		Webhook: &apiextensionsv1.WebhookConversion{
			ClientConfig:             &apiextensionsv1.WebhookClientConfig{URL: &url, CABundle: authority},
			ConversionReviewVersions: []string{"v1"},
		},
	}
	must(direct.Create(ctx, definition))
	reaches(ctx, "the definition is established", func() (bool, error) {
		err := direct.Get(ctx, client.ObjectKeyFromObject(definition), definition)
		for _, condition := range definition.Status.Conditions {
			if condition.Type == apiextensionsv1.Established && condition.Status == apiextensionsv1.ConditionTrue {
				return true, err
			}
		}
		return false, err
	})
	return definition
}

// drive plays the user of the operator; `direct` does not read from a cache.
func drive(ctx context.Context, direct client.Client) {
	site := &v1.Site{ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: namespace}, Spec: v1.SiteSpec{Image: "echo:1"}}
	tooMany := site.DeepCopy()
	tooMany.Spec.Replicas = 11
	refused(direct.Create(ctx, tooMany), "replicas must not exceed maxReplicas", "a rule in CEL refuses what it should")
	latest := site.DeepCopy()
	latest.Spec.Image = "echo:latest"
	refused(direct.Create(ctx, latest), "name a tag", "the validating webhook refuses what it should")
	must(direct.Create(ctx, site))
	if site.Spec.Class != "common" || site.Spec.Replicas != 1 {
		panic(fmt.Errorf("defaults: %+v", site.Spec))
	}
	fmt.Println("ok the schema and the mutating webhook fill in defaults")
	key := client.ObjectKeyFromObject(site)
	reaches(ctx, "the reconciler follows its Deployment into the status", func() (bool, error) {
		err := direct.Get(ctx, key, site)
		return meta.IsStatusConditionTrue(site.Status.Conditions, "Ready"), err
	})
	other := site.DeepCopy()
	other.Spec.Class = "rare"
	refused(direct.Update(ctx, other), "class is immutable", "a transition rule compares with what was")
	var old v1beta1.Site
	must(direct.Get(ctx, key, &old))
	if old.Spec.Name != "echo" || old.Spec.Tag != "1" {
		panic(fmt.Errorf("converted: %+v", old.Spec))
	}
	old.Spec.Tag = "2"
	must(direct.Update(ctx, &old))
	must(direct.Get(ctx, key, site))
	if site.Spec.Image != "echo:2" {
		panic(fmt.Errorf("converted back: %+v", site.Spec))
	}
	fmt.Println("ok the conversion webhook reads and writes the other version")
	must(direct.SubResource("scale").Update(ctx, site, client.WithSubResourceBody(&autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Name: site.Name, Namespace: namespace},
		Spec:       autoscalingv1.ScaleSpec{Replicas: 2},
	})))
	reaches(ctx, "the scale subresource scales it", func() (bool, error) {
		err := direct.Get(ctx, key, site)
		return site.Status.Replicas == 2, err
	})
	var chosen v1.SiteList
	must(direct.List(ctx, &chosen, client.InNamespace(namespace), client.MatchingFields{"spec.image": "echo:2"}))
	if len(chosen.Items) != 1 {
		panic(fmt.Errorf("%d sites by field", len(chosen.Items)))
	}
	fmt.Println("ok a selectable field selects")
	must(direct.Delete(ctx, site))
	reaches(ctx, "a finalizer holds the site until the reconciler lets go, then its Deployment follows", func() (bool, error) {
		var deployment appsv1.Deployment
		siteError, err := direct.Get(ctx, key, site), direct.Get(ctx, key, &deployment)
		return apierrors.IsNotFound(siteError) && apierrors.IsNotFound(err), nil
	})
}

func newManager(config *rest.Config, scheme *runtime.Scheme, port int, certificates string) ctrl.Manager {
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                        scheme,
		Cache:                         cache.Options{DefaultNamespaces: map[string]cache.Config{namespace: {}}},
		Metrics:                       server.Options{BindAddress: "0"},
		WebhookServer:                 webhook.NewServer(webhook.Options{Host: "127.0.0.1", Port: port, CertDir: certificates}),
		LeaderElection:                true,
		LeaderElectionID:              "sites.example.com",
		LeaderElectionNamespace:       namespace,
		LeaderElectionReleaseOnCancel: true,
	})
	must(err)
	must(ctrl.NewControllerManagedBy(manager).For(&v1.Site{}).Owns(&appsv1.Deployment{}).Complete(&siteReconciler{manager.GetClient()}))
	must(ctrl.NewWebhookManagedBy(manager, &v1.Site{}).WithDefaulter(siteWebhook{}).WithValidator(siteWebhook{}).Complete())
	return manager
}

func run(ctx context.Context) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, apiextensionsv1.AddToScheme, v1.AddToScheme, v1beta1.AddToScheme} {
		must(add(scheme))
	}
	config := ctrl.GetConfigOrDie()
	direct, err := client.New(config, client.Options{Scheme: scheme})
	must(err)
	home := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	must(direct.Create(ctx, home))
	certificates, err := os.MkdirTemp("", "webhooks")
	must(err)
	defer func() { must(os.RemoveAll(certificates)) }()
	authority, port := serveFrom(certificates), freePort()
	definition := install(ctx, direct, baseOf(port), authority)
	manager := newManager(config, scheme, port, certificates)
	managing, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(managing) }()
	select {
	case <-manager.Elected():
		fmt.Println("ok a manager is elected")
	case err := <-ended:
		panic(fmt.Errorf("the manager ended: %w", err))
	}
	registerWebhooks(ctx, direct, baseOf(port), authority)
	drive(ctx, direct)
	must(direct.Delete(ctx, definition))
	reaches(ctx, "the definition goes", func() (bool, error) {
		return apierrors.IsNotFound(direct.Get(ctx, client.ObjectKeyFromObject(definition), definition)), nil
	})
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
