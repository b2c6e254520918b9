// Package v1beta1 is the version of sites that came first: image and tag were two fields.
// +kubebuilder:object:generate=true
// +groupName=sites.example.com
package v1beta1

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/conversion"
	"sigs.k8s.io/controller-runtime/pkg/scheme"

	v1 "kubette.example/custom-resources/api/v1"
)

var (
	GroupVersion  = schema.GroupVersion{Group: "sites.example.com", Version: "v1beta1"}
	SchemeBuilder = &scheme.Builder{GroupVersion: GroupVersion}
	AddToScheme   = SchemeBuilder.AddToScheme
)

func init() { SchemeBuilder.Register(&Site{}, &SiteList{}) }

type SiteSpec struct {
	Name        string `json:"name"`
	Tag         string `json:"tag,omitempty"`
	Replicas    int32  `json:"replicas,omitempty"`
	MaxReplicas int32  `json:"maxReplicas,omitempty"`
	Class       string `json:"class,omitempty"`
}

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
type Site struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              SiteSpec      `json:"spec"`
	Status            v1.SiteStatus `json:"status,omitempty"`
}

// +kubebuilder:object:root=true
type SiteList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Site `json:"items"`
}

func (s *Site) ConvertTo(hub conversion.Hub) error {
	to := hub.(*v1.Site)
	to.ObjectMeta, to.Status = s.ObjectMeta, s.Status
	to.Spec.Image = s.Spec.Name
	if s.Spec.Tag != "" {
		to.Spec.Image += ":" + s.Spec.Tag
	}
	to.Spec.Replicas, to.Spec.MaxReplicas, to.Spec.Class = s.Spec.Replicas, s.Spec.MaxReplicas, s.Spec.Class
	return nil
}

func (s *Site) ConvertFrom(hub conversion.Hub) error {
	from := hub.(*v1.Site)
	s.ObjectMeta, s.Status = from.ObjectMeta, from.Status
	s.Spec.Name, s.Spec.Tag, _ = strings.Cut(from.Spec.Image, ":")
	s.Spec.Replicas, s.Spec.MaxReplicas, s.Spec.Class = from.Spec.Replicas, from.Spec.MaxReplicas, from.Spec.Class
	return nil
}
