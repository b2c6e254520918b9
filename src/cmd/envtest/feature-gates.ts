import { FlagError } from '../process.js';

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/).filter(word => word !== ''));

/** Gates of 1.35 that are not on unless they are asked for; nothing here goes by them. */
const OFF = words(`
  APIServingWithRoutine AllAlpha AllBeta AllowUnsafeMalformedObjectDeletion CBORServingAndStorage
  CPUManagerPolicyAlphaOptions CRDObservedGenerationTracking CSIVolumeHealth ClientsAllowCBOR ClientsPreferCBOR
  CloudControllerManagerWatchBasedRoutesReconciliation CloudControllerManagerWebhook ClusterTrustBundle
  ClusterTrustBundleProjection ComponentFlagz ComponentStatusz ConcurrentWatchObjectDecode ConstrainedImpersonation
  ContainerStopSignals CoordinatedLeaderElection CrossNamespaceVolumeDataSource CustomCPUCFSQuotaPeriod
  DRAConsumableCapacity DRADeviceBindingConditions DRADeviceTaintRules DRADeviceTaints DRAExtendedResource
  DRAPartitionableDevices DeclarativeValidationTakeover EventedPLEG GangScheduling GenericWorkload HPAScaleToZero
  InPlacePodLevelResourcesVerticalScaling InPlacePodVerticalScalingExclusiveCPUs
  InPlacePodVerticalScalingExclusiveMemory InTreePluginPortworxUnregister KubeletInUserNamespace
  LocalStorageCapacityIsolationFSQuotaMonitoring LoggingAlphaOptions MaxUnavailableStatefulSet MemoryQoS
  MutablePVNodeAffinity MutablePodResourcesForSuspendedJobs MutableSchedulingDirectivesForSuspendedJobs
  MutatingAdmissionPolicy NodeDeclaredFeatures NodeLogQuery PodAndContainerStatsFromCRI PodCertificateRequest
  PodLogsQuerySplitStreams QOSReserved ReduceDefaultCrashLoopBackOffDecay RelaxedServiceNameValidation
  ResourceHealthStatus RestartAllContainersOnContainerExits RuntimeClassInImageCriApi SELinuxMount
  SchedulerAsyncAPICalls StorageCapacityScoring StorageVersionAPI StorageVersionMigrator StrictIPCIDRValidation
  TaintTolerationComparisonOperators TopologyManagerPolicyAlphaOptions UnknownVersionInteroperabilityProxy
  UserNamespacesHostNetworkSupport VolumeLimitScaling WatchCacheInitializationPostStartHook
  WindowsCPUAndMemoryAffinity
`);

/** Gates of 1.35 that are on and can be turned off there. Those that cannot be any more are not listed. */
const ON = words(`
  APIResponseCompression APIServerIdentity AllowParsingUserUIDFromCertAuth
  AuthorizePodWebsocketUpgradeCreatePermission CPUManagerPolicyBetaOptions CSIServiceAccountTokenSecrets
  ClearingNominatedNodeNameAfterBinding ContainerCheckpoint ContainerRestartRules ContextualLogging DRAAdminAccess
  DRAPrioritizedList DRAResourceClaimDeviceStatus DRASchedulerFilterTimeout DeclarativeValidation
  DeploymentReplicaSetTerminatingReplicas DetectCacheInconsistency DisableCPUQuotaWithExclusiveCPUs EnvFiles
  ExternalServiceAccountTokenSigner GracefulNodeShutdown GracefulNodeShutdownBasedOnPodPriority
  HPAConfigurableTolerance HostnameOverride ImageVolume InOrderInformers InOrderInformersBatchProcess
  KubeletCrashLoopBackOffMax KubeletEnsureSecretPulledImages KubeletFineGrainedAuthz KubeletPSI
  KubeletPodResourcesDynamicResources KubeletPodResourcesGet KubeletSeparateDiskGC
  KubeletServiceAccountTokenForCredentialProviders ListFromCacheSnapshot LoggingBetaOptions
  MatchLabelKeysInPodTopologySpread MatchLabelKeysInPodTopologySpreadSelectorMerge MutableCSINodeAllocatableCount
  NominatedNodeNameForExpectation OpenAPIEnums OpportunisticBatching PodDeletionCost PodLevelResources
  PodReadyToStartContainersCondition PodTopologyLabelsAdmission PortForwardWebsockets PreventStaticPodAPIReferences
  ProcMountType ReloadKubeletServerCertificateFile RemoteRequestHeaderUID RotateKubeletServerCertificate
  SELinuxChangePolicy SELinuxMountReadWriteOncePod SchedulerAsyncPreemption SchedulerPopFromBackoffQ
  ServiceAccountNodeAudienceRestriction SizeBasedListCostEstimate StatefulSetSemanticRevisionComparison
  StorageVersionHash StructuredAuthenticationConfigurationEgressSelector
  StructuredAuthenticationConfigurationJWKSMetrics TokenRequestServiceAccountUIDValidation
  TopologyManagerPolicyBetaOptions TranslateStreamCloseWebsocketRequests UnauthenticatedHTTP2DOSMitigation
  UserNamespacesSupport WatchList WatchListClient WindowsGracefulNodeShutdown
`);

/**
 * Reads --feature-gates: what is so anyway is taken, what would be otherwise is refused by name. Gives a line for each
 * gate that nobody knows, as those are that graduated long ago. @throws FlagError
 */
export function checkFeatureGates(text: string): string[] {
  const warnings: string[] = [];
  for (const item of text.split(',').map(one => one.trim())) {
    if (item === '') continue;
    const [name = '', value] = item.split('=', 2).map(part => part.trim());
    const gate = name.replace(/^kube:/, '');
    if (value === undefined)
      throw new FlagError(
        `invalid argument ${JSON.stringify(text)} for "--feature-gates" flag: missing bool value for ${gate}`,
      );
    if (!['true', 'false'].includes(value))
      throw new FlagError(
        `invalid argument ${JSON.stringify(text)} for "--feature-gates" flag: invalid value of ${gate}=${value}, err: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
      );
    if ((OFF.has(gate) && value === 'true') || (ON.has(gate) && value === 'false'))
      throw new FlagError(`--feature-gates: ${gate}=${value} is not supported`);
    if (!OFF.has(gate) && !ON.has(gate)) warnings.push(`--feature-gates: ${gate} has no effect`);
  }
  return warnings;
}
