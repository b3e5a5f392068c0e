package fetch

// RobotsAllows is the verdict of one robots.txt for one crawler and path.
func RobotsAllows(text []byte, token, path string) bool { return parseRules(text, token).allows(path) }

// RobotsDelay is the Crawl-delay of one robots.txt for one crawler, in seconds.
func RobotsDelay(text []byte, token string) float64 { return parseRules(text, token).delay.Seconds() }
