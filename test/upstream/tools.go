//go:build tools

// Package upstream names what is built: Kubernetes' own end-to-end suite and its runner.
package upstream

import (
	_ "github.com/onsi/ginkgo/v2/ginkgo"
	_ "k8s.io/kubernetes/test/e2e"
)
