package identity

import (
	"testing"

	"horizon-realtime/sdk/sdktest"
)

func TestGolden(t *testing.T) { sdktest.Golden(t, "testdata") }

func TestNeverLeaks(t *testing.T) { sdktest.NeverLeaks(t, "../*/testdata") }
