// Package deploy tests the deployment on AWS: the template, the archive of its functions and what it
// costs. See README.md in its folder.
package deploy
