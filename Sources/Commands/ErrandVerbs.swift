/// Every verb of `errand`.
package enum ErrandVerbs {
    package static let all: [any Verb.Type] = []
}
