package main

import (
	"context"
	"fmt"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	v1 "kubette.example/custom-resources/api/v1"
)

// siteWebhook gives sites a class and refuses images of the latest tag.
type siteWebhook struct{}

func (siteWebhook) Default(_ context.Context, site *v1.Site) error {
	if site.Spec.Class == "" {
		site.Spec.Class = "common"
	}
	return nil
}

func refuseLatest(site *v1.Site) error {
	if strings.HasSuffix(site.Spec.Image, ":latest") {
		return field.Forbidden(field.NewPath("spec", "image"), "name a tag")
	}
	return nil
}

func (siteWebhook) ValidateCreate(_ context.Context, site *v1.Site) (admission.Warnings, error) {
	return admission.Warnings{"sites are new"}, refuseLatest(site)
}
func (siteWebhook) ValidateUpdate(_ context.Context, _, site *v1.Site) (admission.Warnings, error) {
	return nil, refuseLatest(site)
}
func (siteWebhook) ValidateDelete(context.Context, *v1.Site) (admission.Warnings, error) {
	return nil, nil
}

// registerWebhooks tells the server where they are: at a port of this machine.
func registerWebhooks(ctx context.Context, direct client.Client, base string, authority []byte) {
	none, equivalent := admissionv1.SideEffectClassNone, admissionv1.Equivalent
	to := func(path string) admissionv1.WebhookClientConfig {
		url := base + path
		return admissionv1.WebhookClientConfig{URL: &url, CABundle: authority}
	}
	rules := []admissionv1.RuleWithOperations{{
		Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update},
		Rule:       admissionv1.Rule{APIGroups: []string{v1.GroupVersion.Group}, APIVersions: []string{"v1"}, Resources: []string{"sites"}},
	}}
	must(direct.Create(ctx, &admissionv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "sites"},
		Webhooks: []admissionv1.MutatingWebhook{{
			Name: "default.sites.example.com", ClientConfig: to("/mutate-sites-example-com-v1-site"), Rules: rules,
			SideEffects: &none, MatchPolicy: &equivalent, AdmissionReviewVersions: []string{"v1"},
		}},
	}))
	must(direct.Create(ctx, &admissionv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "sites"},
		Webhooks: []admissionv1.ValidatingWebhook{{
			Name: "check.sites.example.com", ClientConfig: to("/validate-sites-example-com-v1-site"), Rules: rules,
			SideEffects: &none, MatchPolicy: &equivalent, AdmissionReviewVersions: []string{"v1"},
		}},
	}))
}

func baseOf(port int) string { return fmt.Sprintf("https://127.0.0.1:%d", port) }
