import { Component, type ReactNode } from 'react';
import { PageFailed } from '~/ui/states';

/** Shows an error that is thrown outside of the router's pages, where it would leave an empty window. */
export class Boundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    return this.state.error === null ? this.props.children : <PageFailed error={this.state.error} />;
  }
}
